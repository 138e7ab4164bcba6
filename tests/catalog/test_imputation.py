"""Filled images against pytorch-grad-cam's, pixel by pixel."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from catalog.faithfulness import SHARES, most_relevant, relevance_ranks
from catalog.imputation import impute

SIZE = 20
IMAGES = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


def first(output: Tensor) -> Tensor:
    return output.flatten()[0]


@pytest.mark.parametrize("share", SHARES)
def test_every_perturbed_image_is_pytorch_grad_cams(share: float) -> None:
    from pytorch_grad_cam.metrics import road

    ranks = relevance_ranks(np.random.default_rng(1).standard_normal((4, SIZE, SIZE)))
    chosen = most_relevant(ranks, share)
    assert (chosen.sum((1, 2)) == round(share * SIZE**2)).all()
    removed: list[tuple[Any, float, np.ndarray]] = [
        (road.ROADMostRelevantFirst, 100 * (1 - share), ~chosen),
        (road.ROADLeastRelevantFirst, 100 * share, chosen),
    ]
    for metric, percentile, kept in removed:
        torch.manual_seed(4)
        cams = (ranks / SIZE**2).astype(np.float32)
        _, expected = metric(round(percentile))(
            IMAGES, cams, [first] * 4, nn.Identity(), return_visualization=True
        )
        found = impute(IMAGES, kept, torch.Generator().manual_seed(4))
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)  # float32


@pytest.mark.parametrize("channels", [1, 3])
def test_a_slope_goes_on_through_a_hole(channels: int) -> None:
    # the mean of neighbours is exact for what is linear, away from the borders
    slope = torch.linspace(0, 1, 12).expand(1, channels, 12, 12).contiguous()
    slope = (slope + slope.mT) / 2
    kept = np.ones((1, 12, 12), bool)
    kept[0, 3:8, 4:9] = False
    filled = impute(slope, kept, torch.Generator().manual_seed(0))
    holes = torch.from_numpy(~kept[0])
    assert torch.equal(filled[..., ~holes], slope[..., ~holes])
    noise = (filled - slope)[..., holes]
    assert 0.005 < noise.std() < 0.015
    assert noise.abs().max() < 0.05


def test_one_pixel_fills_an_image_and_nothing_to_fill_is_left_alone() -> None:
    kept = np.zeros((1, SIZE, SIZE), bool)
    kept[0, 7, 3] = True
    filled = impute(IMAGES[:1], kept, torch.Generator().manual_seed(0))
    expected = IMAGES[:1, :, 7:8, 3:4].expand(1, 3, SIZE, SIZE)
    torch.testing.assert_close(filled, expected, rtol=0, atol=0.06)  # the noise
    whole = np.ones((4, SIZE, SIZE), bool)
    assert torch.equal(impute(IMAGES, whole, torch.Generator()), IMAGES)
