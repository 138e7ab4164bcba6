"""An encoder between an image and its baseline, and where it may be cut."""

import pytest
import torch

from tests.saliency.test_deeplift import SIZE, Around, Small, images
from zoolens.catalog.errors import ModelRefused
from zoolens.catalog.saliency.passes import Paired


def test_maps_of_weighted_features_add_up() -> None:
    encoder = Small().eval().requires_grad_(False)
    given, blank = images(3), torch.zeros(3, 3, SIZE, SIZE)
    expected, start = encoder(given), encoder(blank)
    paired = Paired(encoder, "block", images(1))
    between = paired(given, blank)
    assert paired.grid == between.grid == (8, 8)
    torch.testing.assert_close(between.features, expected)
    torch.testing.assert_close(between.baseline, start)
    weights = torch.randn(3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    maps = between.maps(weights)
    assert maps.shape == (3, 5, 8, 8)
    changes = torch.einsum("nrd,nd->nr", weights, (expected - start).double())
    torch.testing.assert_close(maps.sum((2, 3)), changes, rtol=1e-5, atol=1e-6)
    assert between.maps(weights[:, :0]).shape == (3, 0, 8, 8)


def test_elsewhere_the_encoder_runs_as_ever() -> None:
    encoder = Small().eval().requires_grad_(False)
    expected = encoder(images(2))
    Paired(encoder, "block", images(1))
    found = encoder(images(2))
    assert torch.equal(found, expected)
    assert not found.requires_grad


def test_not_all_passes_through_the_layer() -> None:
    encoder = Around().eval().requires_grad_(False)
    assert Paired(encoder, "outer", images(1)).share < 1
    with pytest.raises(ModelRefused, match="do not add up"):
        Paired(encoder, "inner", images(1))
