"""Cutting an encoder, and leaving it as it was."""

import pytest
import timm
import torch
from torch import nn

from tests.made.toy_encoders import IMAGE, Normed, Shared, Toy, leftovers
from zoolens.catalog.errors import ModelRefused, UnknownName
from zoolens.catalog.saliency.cut import Cut, last_block


def test_no_hook_survives_an_error() -> None:
    encoder = Toy(1)
    cut = Cut(encoder, "block", IMAGE)
    split = cut.split(IMAGE)
    encoder.fails = True
    for broken in (
        lambda: cut.split(IMAGE),
        lambda: split.tail(split.activation),
        lambda: Cut(encoder, "block", IMAGE),
    ):
        with pytest.raises(RuntimeError, match="on purpose"):
            broken()
        assert leftovers(encoder) == []


def test_layer_in_an_unknown_encoder_is_the_last_feature_map() -> None:
    assert last_block(Toy(1), IMAGE) == "block"


def test_layers_that_cannot_be_explained_are_refused() -> None:
    with pytest.raises(UnknownName, match=r"no layer 'blok'; nearest: block"):
        Cut(Toy(1), "blok", IMAGE)
    with pytest.raises(UnknownName, match="no layer ''"):
        Cut(Toy(1), "", IMAGE)
    with pytest.raises(ModelRefused, match=r"twice runs 2 times an image"):
        Cut(Shared(), "twice", IMAGE)
    with pytest.raises(ModelRefused, match=r"flat puts out \(1, 4\), no feature map"):
        Cut(Shared(), "flat", IMAGE)
    with pytest.raises(ModelRefused, match="earlier layer"):
        last_block(Shared(), IMAGE)


def test_images_of_which_the_last_block_leaves_one_pixel() -> None:
    encoder = timm.create_model("test_resnet", num_classes=0).eval()
    with pytest.raises(ModelRefused, match=r"of 32 pixels .* layer4 leaves one pixel.*--size"):
        last_block(encoder, torch.rand(1, 3, 32, 32))


def test_the_tail_gives_the_features_again() -> None:
    images = torch.rand(2, 3, 4, 4)
    for encoder, layer in ((Normed(), "block"), (Normed(), "norm")):
        split = Cut(encoder, layer, images[:1]).split(images)
        assert split.activation.shape == (2, 8, 4, 4)  # channels first, whatever the layer has
        torch.testing.assert_close(split.tail(split.activation), split.features)
        assert not torch.allclose(split.tail(split.activation.flip(1)), split.features)


class InPlace(nn.Module):
    """What most residual networks do to their activations."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 8, 1)
        self.block = nn.Conv2d(8, 8, 1)
        self.act = nn.ReLU(inplace=True)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        short = self.first(images)
        x = self.block(short)
        short += x
        return self.act(short).mean((2, 3))


def test_work_in_place_spoils_nothing() -> None:
    encoder, images = InPlace(), torch.rand(2, 3, 4, 4)
    split = Cut(encoder, "block", images[:1]).split(images)
    torch.testing.assert_close(split.activation, encoder.block(encoder.first(images)))
    for _ in range(2):
        torch.testing.assert_close(split.tail(split.activation), split.features)
