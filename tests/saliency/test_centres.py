"""Where cells look, of layers whose place is known; and that what is moved is not lost."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.saliency.test_deeplift import SLICES, model_of
from zoolens.catalog.network.model import dropout_masks
from zoolens.catalog.saliency.centres import moved, offsets
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.integrals import LOGIT
from zoolens.catalog.saliency.layouts import Layout

SIZE = 64
EXAMPLE = torch.zeros(1, 3, SIZE, SIZE)


def strided(kernel: int, stride: int, before: int, after: int) -> nn.Module:
    torch.manual_seed(0)
    pad = nn.ZeroPad2d((before, after, before, after))
    return nn.Sequential(pad, nn.Conv2d(3, 64, kernel, stride))


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        (strided(8, 8, 0, 0), 0),  # patches
        (strided(4, 4, 0, 0), 0),
        # centred on the first of two pixels: half a pixel of two to the left
        (strided(3, 2, 1, 1), 0.25),
        (strided(3, 2, 0, 1), -0.25),  # TensorFlow's
        # half a pixel of four, and of eight, is nearly half a cell
        (nn.Sequential(strided(3, 2, 1, 1), nn.Conv2d(64, 64, 3, 2, 1)), 0.375),
        (strided(5, 1, 2, 2), 0),
    ],
)
def test_cells_look_where_padding_says(encoder: nn.Module, expected: float) -> None:
    layer = str(len(encoder) - 1)  # type: ignore[arg-type]
    found = offsets(
        encoder.eval().requires_grad_(False), layer, Layout(), torch.zeros(1, 3, SIZE, SIZE)
    )
    assert found == pytest.approx((expected, expected), abs=1 / 16)  # random kernels lean a little
    assert not encoder[int(layer)]._forward_hooks  # type: ignore[index]


def test_one_cell_is_in_its_place() -> None:
    assert offsets(strided(SIZE, SIZE, 0, 0), "1", Layout(), EXAMPLE) == (
        0,
        0,
    )


@pytest.mark.parametrize("offset", [0.0, 0.25, -0.5])
def test_what_is_moved_stays(offset: float) -> None:
    matrix = moved(5, offset)
    torch.testing.assert_close(matrix.sum(0), torch.ones(5, dtype=torch.float64))
    inside = torch.tensor([0.0, 0, 1, 0, 0], dtype=torch.float64)
    place = float((matrix @ inside) @ torch.arange(5, dtype=torch.float64))
    assert place == pytest.approx(2 - offset)
    assert torch.equal(moved(1, offset), torch.ones(1, 1, dtype=torch.float64))


class Spots(nn.Module):
    """What is bright, through two strided steps."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(
            *(nn.Conv2d(3 if not number else 8, 8, 3, 2, 1) for number in range(3))
        )
        for convolution in self.block:
            nn.init.constant_(convolution.weight, 0.1)  # type: ignore[arg-type]
        self.feature_info = [{"module": "block", "reduction": 8}]

    def forward(self, shown: torch.Tensor) -> torch.Tensor:
        return self.block(shown).mean((2, 3))


def test_spots_are_where_their_maps_are() -> None:
    """As seen from both sides: what is mirrored has its map mirrored, and no further off."""
    model, masks = model_of(Spots()), dropout_masks(0, 8, 0.0, 0)
    explain = DeepLift(model, masks, SLICES, size=SIZE)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    spots = [
        torch.exp(-((y - 28 - down) ** 2 + (x - 28 - across) ** 2) / 18)
        for down in range(8)
        for across in range(8)
    ]  # a cell does not weigh all of its pixels alike
    shown = torch.stack(spots)[:, None].expand(-1, 3, -1, -1)
    seen, mirrored = (_centres(explain(one, LOGIT).maps) for one in (shown, shown.flip(2, 3)))
    cells = SIZE // 8 - 1
    np.testing.assert_allclose((seen - (cells - mirrored)).mean(axis=0), 0, atol=0.1)


def _centres(maps: torch.Tensor) -> np.ndarray:
    """Of the bright part of each galaxy's largest map, in cells (N, 2)."""
    found = []
    for own in maps.numpy():
        spot = np.clip(own[own.max((1, 2)).argmax()], 0, None)  # not the ring that a blur leaves
        found.append(np.average(np.indices(spot.shape), axis=(1, 2), weights=spot))
    return np.stack(found)
