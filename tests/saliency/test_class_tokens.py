"""Which vision transformers have the closed form of a class token; test_tails.py tries it."""

from typing import Any

import pytest
import timm
import torch

from tests.made.encoders import TOKEN, small_encoder
from tests.oracles.saliency import contributions_by_autograd
from zoolens.catalog.saliency.class_tokens import class_token_tail


def test_a_patch_that_the_class_token_does_not_look_at_contributes_nothing() -> None:
    member = TOKEN["vit"]
    encoder = small_encoder(member)
    attention = encoder.blocks[-1].attn
    dim, heads = attention.attn_dim, attention.num_heads
    attention.qkv.weight[2 * dim :] = 0  # all values are their bias, whichever token gives them
    tail = class_token_tail(encoder, member.layer)
    assert tail is not None
    assert heads == 3
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    found = tail.contributions(tail.before(images), "hirescam")
    assert found.abs().max() < 1e-12
    expected = contributions_by_autograd(
        encoder, member.layer, images, "hirescam", member.layout.to_map
    )
    assert expected.abs().max() < 1e-12


@pytest.mark.parametrize(
    "settings",
    [
        {"qk_norm": True},
        {"global_pool": "avg"},
        {"num_classes": 2},
        {"scale_attn_norm": True},
        {"scale_mlp_norm": True},
    ],
)
def test_others_have_none_or_the_right_one(settings: dict[str, Any]) -> None:
    encoder: Any = timm.create_model("test_vit", **({"num_classes": 0} | settings))
    found = class_token_tail(encoder, "blocks.5.norm1")
    assert (found is None) == ("scale_mlp_norm" not in settings)
    if found is not None:
        images = torch.rand(1, 3, 160, 160)
        torch.testing.assert_close(found.features(found.before(images)), encoder.eval()(images))
    assert class_token_tail(timm.create_model("test_resnet"), "layer4") is None
