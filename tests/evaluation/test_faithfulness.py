"""Curves against pytorch-grad-cam's ROAD, and a score that looks at one quadrant."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.made.toy_encoders import toy_model
from zoolens.catalog.evaluation.faithfulness import (
    SHARES,
    changes,
    faithfulness,
    fraction_score,
    impute,
    most_relevant,
    relevance_ranks,
)
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.network.model import concentrations, dropout_masks
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.trees.published import get_tree

pytestmark = pytest.mark.slow

SIZE = 20


def quadrant_images(count: int) -> Tensor:
    """A bright quadrant, each image's own, on a dim noisy sky."""
    generator = torch.Generator().manual_seed(0)
    images = 0.05 * torch.rand(count, 3, SIZE, SIZE, generator=generator)
    images[:, :, :10, :10] += 0.8 + 0.1 * torch.rand(count, 3, 10, 10, generator=generator)
    return images


IMAGES = quadrant_images(6)


def quadrant(images: Tensor) -> np.ndarray:
    return images[:, :, :10, :10].mean((1, 2, 3)).double().numpy()


@pytest.fixture(scope="module")
def measures() -> list[Measure]:
    perfect = IMAGES.mean(1).numpy()
    noise = np.random.default_rng(0).random((6, SIZE, SIZE))
    maps = {"perfect": perfect, "away": -perfect, "random": noise}
    return [
        measure
        for method, one in maps.items()
        for measure in faithfulness(method, changes(quadrant, IMAGES, one))
    ]


def curve(measures: list[Measure], method: str, name: str) -> dict[float | None, float]:
    return {m.level: m.value for m in measures if (m.method, m.measure) == (method, name)}


def test_a_perfect_map_takes_all_away_at_once(measures: list[Measure]) -> None:
    score = quadrant(IMAGES).mean()
    deletion = curve(measures, "perfect", "deletion")
    assert list(deletion) == [0.0, *SHARES]
    assert deletion[0.0] == 0
    assert deletion[0.3] < -0.9 * score  # a quarter of the pixels is all there is
    insertion = curve(measures, "perfect", "insertion")
    assert list(insertion) == [*SHARES, 1.0]
    assert insertion[1.0] == 0
    assert abs(insertion[0.3]) < 0.01 * score


def test_a_random_map_takes_it_away_slowly(measures: list[Measure]) -> None:
    score = quadrant(IMAGES).mean()
    deletion = curve(measures, "random", "deletion")
    # what is left of the quadrant fills the holes in it
    assert -0.2 * score < deletion[0.3] < 0


def test_road_ranks_maps_and_is_odd(measures: list[Measure]) -> None:
    road = {m.method: m for m in measures if m.measure == "ROAD"}
    assert road["perfect"].value > 0.3
    assert abs(road["random"].value) < 0.02
    # the other way round deletion is insertion; what noise leaves of 100 pixels
    assert road["away"].value == pytest.approx(-road["perfect"].value, abs=1e-3)
    assert {(m.chance, m.galaxies, m.level) for m in road.values()} == {(0.0, 6, None)}
    assert road["perfect"].lo is not None
    assert 0.3 < road["perfect"].lo <= road["perfect"].value


class Quadrant(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images[:, :, :10, :10].mean((1, 2, 3), keepdim=False)[:, None]


def first_value(output: Tensor) -> Tensor:
    return output.flatten()[0]


def test_road_is_pytorch_grad_cams(measures: list[Measure]) -> None:
    from pytorch_grad_cam.metrics.road import ROADCombined

    torch.manual_seed(0)
    cams = (relevance_ranks(IMAGES.mean(1)) / SIZE**2).astype(np.float32)
    expected = ROADCombined()(IMAGES, cams, [first_value] * 6, Quadrant())
    (road,) = [m for m in measures if m.measure == "ROAD" and m.method == "perfect"]
    # other draws of the noise, 0.01 / sqrt(300) a score and fewer of 18 scores
    assert road.value == pytest.approx(float(np.mean(expected)), abs=1e-3)


def test_ranks_are_places_with_ties_in_order() -> None:
    ranks = relevance_ranks([[[0.5, -1.0], [0.5, 2.0]]])
    np.testing.assert_array_equal(ranks, [[[1, 0], [2, 3]]])
    np.testing.assert_array_equal(most_relevant(ranks, 0.5), [[[False, False], [True, True]]])


def test_the_same_seed_gives_the_same_measures() -> None:
    maps = IMAGES.mean(1).numpy()
    again = [changes(quadrant, IMAGES, maps, seed=seed) for seed in (1, 1, 2)]
    assert np.array_equal(again[0], again[1])
    assert not np.array_equal(again[0], again[2])


def test_changes_travel_as_they_lie() -> None:
    found = changes(quadrant, IMAGES, IMAGES.mean(1).numpy())
    assert found.shape == (len(SHARES), 2, 6)
    assert pickle.loads(pickle.dumps(found)).strides == found.strides  # or sums round otherwise


def test_a_galaxy_without_a_map_or_score_does_not_count() -> None:
    maps = IMAGES.mean(1).numpy().copy()
    maps[2, 3, 3] = np.nan

    def score(images: Tensor) -> np.ndarray:
        return np.where(np.arange(6) == 4, np.nan, quadrant(images))

    found = faithfulness("perfect", changes(score, IMAGES, maps))
    assert {m.galaxies for m in found} == {4}
    assert all(np.isfinite(m.value) for m in found)


def test_the_score_is_the_fraction_of_the_catalogue() -> None:
    tree = get_tree("gzd5")

    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block = nn.Conv2d(3, 5, 3)

        def forward(self, images: Tensor) -> Tensor:
            return self.block(images).square().mean((2, 3))

    torch.manual_seed(0)
    model = toy_model(Pooled().eval(), torch.randn(34, 5), torch.randn(34))
    masks = dropout_masks(4, 5, 0.2, seed=1)
    answers = [0, 33, 12, 5, 20, 1]
    score = fraction_score(
        model, masks, answers, [tree.slices[tree.question_of[a]] for a in answers]
    )
    with torch.no_grad():
        alpha = concentrations(model, model.encoder(IMAGES), masks)
    expected = summarise(alpha.numpy(), tree).fraction[np.arange(6), answers]
    np.testing.assert_allclose(score(IMAGES), expected, rtol=1e-5)  # float32


NOISE = torch.rand(4, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


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
            NOISE, cams, [first_value] * 4, nn.Identity(), return_visualization=True
        )
        found = impute(NOISE, kept, torch.Generator().manual_seed(4))
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
    filled = impute(NOISE[:1], kept, torch.Generator().manual_seed(0))
    expected = NOISE[:1, :, 7:8, 3:4].expand(1, 3, SIZE, SIZE)
    torch.testing.assert_close(filled, expected, rtol=0, atol=0.06)  # the noise
    whole = np.ones((4, SIZE, SIZE), bool)
    assert torch.equal(impute(NOISE, whole, torch.Generator()), NOISE)
