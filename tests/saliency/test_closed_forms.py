"""Closed forms of small encoders against autograd, one pooled feature at a time."""

from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from zoolens.catalog.saliency.closed_forms import Watched, closed_form

SMALL = {"efficientnet_b0": "blocks.6", "test_resnet": "layer4"}


def encoder_of(name: str) -> Any:
    """A random encoder in float64, whose norms do something."""
    torch.manual_seed(0)
    encoder = timm.create_model(name, num_classes=0).double().eval()
    for norm in encoder.modules():
        if isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None:
            assert norm.running_var is not None
            nn.init.uniform_(norm.running_mean, -0.2, 0.2)
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.uniform_(norm.bias, -0.3, 0.3)
    return encoder


def tail(name: str, encoder: Any, activation: Tensor) -> Tensor:
    """What is left of the encoder after its last block: features (N, D)."""
    if name.startswith("efficientnet"):
        activation = encoder.bn2(encoder.conv_head(activation))
    features: Tensor = encoder.forward_head(activation)
    return features


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("method", ["hirescam", "gradcam"])
def test_each_feature_is_autograds(name: str, method: str) -> None:
    encoder = encoder_of(name)
    form = closed_form(encoder, SMALL[name], method)
    assert form is not None
    channels = encoder.conv_head.in_channels if name.startswith("eff") else encoder.num_features
    activation = torch.randn(2, channels, 3, 4, dtype=torch.float64, requires_grad=True)
    features = tail(name, encoder, activation)
    found = form(activation.detach())
    assert found.shape == (*features.shape, 3, 4)
    for feature in (0, 7, features.shape[1] - 1):
        (slope,) = torch.autograd.grad(
            features[:, feature].sum(), activation, retain_graph=True, allow_unused=False
        )
        if method == "gradcam":
            slope = slope.mean((2, 3), keepdim=True)
        expected = (slope * activation).sum(1).detach()
        torch.testing.assert_close(found[:, feature], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", SMALL)
def test_a_watched_encoder_puts_out_features_then_its_activation(name: str) -> None:
    encoder = encoder_of(name)
    images = torch.rand(2, 3, 64, 64, dtype=torch.float64)
    seen: list[Tensor] = []
    hook = encoder.get_submodule(SMALL[name]).register_forward_hook(lambda *a: seen.append(a[-1]))
    with torch.no_grad():
        features = encoder(images)
    hook.remove()
    with torch.no_grad():
        both = Watched(encoder)(images)
    torch.testing.assert_close(both, torch.cat([features, seen[0].flatten(1)], dim=1))


def test_others_have_no_closed_form() -> None:
    efficientnet, resnet = encoder_of("efficientnet_b0"), encoder_of("test_resnet")
    assert closed_form(efficientnet, "blocks.5", "hirescam") is None
    assert closed_form(resnet, "layer3", "hirescam") is None
    assert (
        closed_form(timm.create_model("convnext_atto", num_classes=0), "stages.3", "hirescam")
        is None
    )
    headed = timm.create_model("test_resnet", num_classes=3)
    assert closed_form(headed, "layer4", "hirescam") is None
    most = timm.create_model("test_resnet", num_classes=0, global_pool="max")
    assert closed_form(most, "layer4", "hirescam") is None
    assert closed_form(nn.Conv2d(3, 4, 1), "", "hirescam") is None
