"""Explanations of small members of each family of networks, from images to maps.

Layers, features and contributions of each are checked in float64 by test_tails.py.
"""

import importlib.util

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.made.encoders import POOLED, TOKEN, Member, small_encoder
from tests.made.toy_encoders import leftovers, toy_model
from tests.oracles.saliency import grad_cam_maps
from zoolens.catalog.network.model import ZoobotModel, dropout_masks
from zoolens.catalog.saliency.explainer import Explainer

KNOWN = POOLED | TOKEN
CLOSE = 1e-5  # of a map's largest value: two encoders of float32, which round in another order


def model_of(member: Member) -> tuple[ZoobotModel, Tensor, Tensor]:
    """A model of 5 answers whose logits vary by 1 about 0, images and dropout masks."""
    encoder = small_encoder(member).float()
    generator = torch.Generator().manual_seed(2)
    images = torch.rand(2, 3, member.size, member.size, generator=generator)
    features = encoder(images)
    weight = torch.randn(5, features.shape[1], generator=generator)
    logits = features @ weight.T
    masks = dropout_masks(3, features.shape[1], 0.2, seed=5)
    return toy_model(encoder, weight / logits.std(), -logits.mean(0) / logits.std()), images, masks


def error(found: Tensor, expected: np.ndarray, scale: np.ndarray) -> float:
    """Largest difference in units of a map's own largest value, over all maps."""
    difference = np.abs(found.numpy() - expected).max((-2, -1))
    return float((difference / np.abs(scale).max((-2, -1))).max())


@pytest.mark.parametrize("method", ["hirescam", "gradcam"])
@pytest.mark.parametrize("family", KNOWN)
def test_every_map_is_pytorch_grad_cams(family: str, method: str) -> None:
    member = KNOWN[family]
    model, images, masks = model_of(member)
    explainer = Explainer(model, masks, size=member.size, method=method)
    assert explainer.layer == member.layer
    assert explainer.shareable
    found = explainer(images)
    expected = grad_cam_maps(model, images, masks, member.layer, method, member.layout.to_map)
    mean = expected.mean(1)
    assert error(found.mean, mean, mean) < CLOSE
    assert error(found.sd, expected.std(1), mean) < CLOSE
    assert leftovers(model.encoder) == []


@pytest.mark.slow
@pytest.mark.parametrize("family", ["efficientnet", "convnext", "swin v2", "vit"])
def test_openvino_gives_the_same_maps(family: str) -> None:
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed")
    member = KNOWN[family]
    model, images, masks = model_of(member)
    slow = Explainer(model, masks, size=member.size)(images)
    explainer = Explainer(model, masks, size=member.size, engine="openvino")
    assert explainer.engine == "openvino"
    fast = explainer(images)
    mean = slow.mean.numpy()
    assert error(fast.mean, mean, mean) < CLOSE
    assert error(fast.sd, slow.sd.numpy(), mean) < CLOSE


@pytest.mark.parametrize("layer", ["blocks.1", "blocks.1.attn.proj"])
def test_tokens_of_any_layer_are_a_map(layer: str) -> None:
    member = TOKEN["vit, registers and layer scale"]
    model, images, masks = model_of(member)
    explainer = Explainer(model, masks, size=member.size, layer=layer, method="gradcam")
    assert not explainer.shareable, "it is replayed"
    found = explainer(images)
    assert found.mean.shape == (2, 5, 4, 4)
    expected = grad_cam_maps(model, images, masks, layer, "gradcam", member.layout.to_map)
    mean = expected.mean(1)
    assert error(found.mean, mean, mean) < CLOSE
