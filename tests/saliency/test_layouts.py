"""Layers' outputs as maps, and back."""

import pytest
import torch
from torch import nn

from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.saliency.layouts import Layout, find_layout, layout_of


class Transformer(nn.Module):
    """As timm names the tokens that are of no pixel."""

    num_prefix_tokens = 3


@pytest.mark.parametrize(
    ("encoder", "shape", "layout"),
    [
        (nn.Identity(), (2, 5, 4, 4), Layout()),
        (nn.Identity(), (2, 4, 4, 5), Layout(channels_last=True)),
        (Transformer(), (2, 19, 5), Layout(dimensions=3, prefix=3)),
    ],
)
def test_a_map_goes_there_and_back(
    encoder: nn.Module, shape: tuple[int, ...], layout: Layout
) -> None:
    output = torch.randn(shape)
    assert find_layout(encoder, output) == layout
    found = layout.to_map(output)
    assert found.shape == (2, 5, 4, 4)
    torch.testing.assert_close(layout.from_map(found, output), output)


def test_tokens_are_row_by_row_behind_those_of_no_pixel() -> None:
    tokens = torch.arange(7.0)[None, :, None]  # three of no pixel, then 2 x 2
    layout = Layout(dimensions=3, prefix=3)
    assert layout.to_map(tokens).tolist() == [[[[3, 4], [5, 6]]]]
    doubled = layout.from_map(2 * layout.to_map(tokens), tokens)
    assert doubled.flatten().tolist() == [0, 1, 2, 6, 8, 10, 12]


@pytest.mark.parametrize(
    ("encoder", "output"),
    [
        (nn.Identity(), torch.zeros(1, 19, 5)),  # of an encoder without tokens
        (Transformer(), torch.zeros(1, 18, 5)),  # no square
        (Transformer(), torch.zeros(1, 3, 5)),
        (Transformer(), torch.zeros(1, 5)),
        (Transformer(), (torch.zeros(1, 19, 5),)),
    ],
)
def test_others_are_refused(encoder: nn.Module, output: object) -> None:
    assert find_layout(encoder, output) is None
    with pytest.raises(ModelRefused, match=r"layer head puts out .*, no feature map"):
        layout_of(encoder, "head", output)
