"""What follows the explained layer, family by family, against the encoder itself and autograd."""

from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from tests.made.encoders import POOLED, TOKEN, small_encoder
from tests.oracles.saliency import contributions_by_autograd
from zoolens.catalog.saliency.closed_forms import Tail, find_tail
from zoolens.catalog.saliency.cut import Cut, last_block
from zoolens.catalog.saliency.tails import PooledTail

KNOWN = POOLED | TOKEN


def tail_of(family: str) -> tuple[nn.Module, str, Tensor, Tail]:
    member = KNOWN[family]
    encoder = small_encoder(member)
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(2, 3, member.size, member.size, generator=generator).double()
    tail = find_tail(encoder, member.layer)
    kind = type(encoder).__name__
    assert tail is not None, f"catalog/saliency knows no tail of {kind} after {member.layer}"
    return encoder, member.layer, images, tail


@pytest.mark.parametrize("family", KNOWN)
def test_the_parts_put_together_are_the_encoder(family: str) -> None:
    encoder, layer, images, tail = tail_of(family)
    split = Cut(encoder, layer, images[:1]).split(images)
    raised = tail.before(images)
    torch.testing.assert_close(tail.features(raised), split.features)
    if isinstance(tail, PooledTail):
        pooled = tail.per_pixel(raised).mean((2, 3))
        torch.testing.assert_close(tail.after(pooled), split.features)
        if tail.pointwise is None:
            torch.testing.assert_close(raised, split.activation)


@pytest.mark.parametrize("method", ["hirescam", "gradcam"])
@pytest.mark.parametrize("family", KNOWN)
def test_what_each_pixel_contributes_is_autograds(family: str, method: str) -> None:
    encoder, layer, images, tail = tail_of(family)
    with torch.no_grad():
        found = tail.contributions(tail.before(images), method)
    expected = contributions_by_autograd(
        encoder, layer, images, method, KNOWN[family].layout.to_map
    )
    torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-11)
    assert expected.abs().max() > 1e-3


@pytest.mark.parametrize("family", KNOWN)
def test_the_layer_is_the_one_explained_by_default(family: str) -> None:
    encoder, layer, images, _ = tail_of(family)
    assert last_block(encoder.float(), images[:1].float()) == layer


def test_others_have_no_such_tail() -> None:
    cases: list[tuple[str, str, dict[str, Any]]] = [
        ("test_efficientnet", "blocks.3", {}),
        ("test_efficientnet_ln", "blocks.4", {}),
        ("test_resnet", "layer3", {}),
        ("test_resnet", "layer4", {"num_classes": 3}),
        ("test_resnet", "layer4", {"global_pool": "max"}),
        ("test_vit", "blocks.4", {}),
        ("test_vit", "blocks.5", {}),  # its patches lead nowhere
        ("test_vit", "blocks.5.norm1", {"qk_norm": True}),
        ("test_vit", "blocks.5", {"global_pool": "max"}),
        ("test_vit2", "blocks.7", {"global_pool": "map"}),
        ("test_convnext", "stages.2", {}),
        ("test_convnext", "stages.3", {"head_norm_first": True}),
        ("test_convnext", "stages.3", {"global_pool": "avgmax"}),
    ]
    for name, layer, settings in cases:
        encoder = timm.create_model(name, **({"num_classes": 0} | settings))
        assert find_tail(encoder, layer) is None, (name, layer, settings)
    assert find_tail(nn.Conv2d(3, 4, 1), "") is None
