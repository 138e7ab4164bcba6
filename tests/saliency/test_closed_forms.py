"""Closed forms, and the encoder that puts out what they need, in one graph."""

import copy

import pytest
import torch
from torch import Tensor

from tests.made.encoders import POOLED, TOKEN, small_encoder
from zoolens.catalog.network.inference import for_inference
from zoolens.catalog.saliency.closed_forms import Watched, closed_form, find_tail

KNOWN = POOLED | TOKEN


def images_of(family: str) -> Tensor:
    size = KNOWN[family].size
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("family", KNOWN)
def test_a_watched_encoder_puts_out_features_then_what_its_form_takes(family: str) -> None:
    encoder, layer, images = small_encoder(KNOWN[family]), KNOWN[family].layer, images_of(family)
    tail = find_tail(encoder, layer)
    assert tail is not None
    watched = Watched(encoder, layer)
    expected = torch.cat([encoder(images), tail.before(images).flatten(1)], dim=1)
    torch.testing.assert_close(watched(images), expected)
    # a copy whose norms are folded into its convolutions, as engines take it
    folded = for_inference(copy.deepcopy(watched).float(), 3, KNOWN[family].size)
    torch.testing.assert_close(folded(images.float()), expected.float(), rtol=1e-3, atol=1e-3)


def test_a_form_is_of_one_layer_and_keeps_no_gradients() -> None:
    member = POOLED["convnext"]
    encoder = small_encoder(member).requires_grad_(True)
    assert closed_form(encoder, "stages.2", "hirescam") is None
    form, tail = closed_form(encoder, member.layer, "hirescam"), find_tail(encoder, member.layer)
    assert form is not None
    assert tail is not None
    activation = tail.before(images_of("convnext"))
    assert activation.requires_grad
    found = form(activation)
    assert not found.requires_grad
    torch.testing.assert_close(found, tail.contributions(activation, "hirescam").detach())
