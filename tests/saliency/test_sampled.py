"""Products under all dropout masks against those of each mask, one by one."""

import pytest
import torch

from zoolens.catalog.network.model import dropout_masks
from zoolens.catalog.saliency.sampled import SampledHead, mean_and_spread

SCALED = torch.tensor([[0.0, 1.0, 0.5], [2.0, 1.0, 0.0]])  # no dropout: each feature has its own


@pytest.mark.parametrize(
    "masks",
    [
        dropout_masks(5, 40, 0.2, seed=1),  # the dropped ones are subtracted
        dropout_masks(5, 40, 0.7, seed=1),  # most are dropped
        dropout_masks(0, 40, 0.2, seed=1),  # none is
        torch.ones(2, 40) * torch.tensor([[1.0], [0.0]]),  # all of one mask are
        SCALED.repeat(1, 14)[:, :40],
    ],
    ids=["few dropped", "most dropped", "off", "all dropped", "not dropout"],
)
def test_sums_are_those_of_each_mask(masks: torch.Tensor) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 40, generator=generator)
    weight[2] = torch.nan  # an answer that the model lacks
    pixels = torch.randn(3, 40, 2, 4, generator=generator)
    found = SampledHead(weight, masks)(pixels)
    expected = torch.einsum("ad,td,ndhw->ntahw", weight, masks, pixels)
    torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-5, atol=1e-5)
    assert found[:, :, 2].isnan().all()


def test_mean_and_spread_are_over_one_dimension() -> None:
    maps = torch.randn(2, 7, 3, 4, generator=torch.Generator().manual_seed(0)) + 100
    sd, mean = torch.std_mean(maps, dim=1, correction=0)
    found = mean_and_spread(maps.clone(), dim=1)
    torch.testing.assert_close(found[0], mean)
    torch.testing.assert_close(found[1], sd, rtol=1e-4, atol=0)


def test_one_sample_has_no_spread() -> None:
    mean, sd = mean_and_spread(torch.full((1, 3), 0.1), dim=0)
    assert mean.tolist() == torch.full((3,), 0.1).tolist()
    assert not sd.any()
