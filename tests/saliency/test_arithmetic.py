"""Derived maps of a toy net against autograd through the whole of it."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from torch import Tensor

from tests.made.toy_encoders import IMAGE, Toy, toy_model
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.network.model import concentrations
from zoolens.catalog.saliency.arithmetic import (
    cross_entropy_map,
    decode,
    encode,
    fraction_maps,
    map_statistics,
    upsample,
)
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.scoring.losses import cross_entropy

ONE_SAMPLE = torch.ones(1, 2)
ANSWERS = 3


def autograd_map(of: Callable[[Tensor], Tensor]) -> np.ndarray:
    """Activation times gradient of any function of the concentrations (K,)."""
    model = question()
    activation = model.encoder.block(IMAGE.double()).detach().requires_grad_()
    features = (activation**2).mean((2, 3))
    of(concentrations(model, features, ONE_SAMPLE.double())[0, 0]).backward()
    assert activation.grad is not None
    return (activation * activation.grad).sum(1)[0].detach().numpy()


def question():  # type: ignore[no-untyped-def]
    weight = torch.tensor([[0.1, 0.2], [-0.3, 0.05], [0.2, -0.1]], dtype=torch.float64)
    return toy_model(Toy(2).double(), weight, torch.tensor([-1.0, 0.5, -0.5]).double())


def stored() -> tuple[np.ndarray, np.ndarray]:
    """Maps (K, h, w) and concentrations (K,), as a run with one sample stores them."""
    model = toy_model(Toy(2), question().weight.float(), question().bias.float())
    maps = Explainer(model, ONE_SAMPLE, size=2, layer="block")(IMAGE).mean[0]
    alpha = concentrations(model, model.encoder(IMAGE), ONE_SAMPLE)[0, 0]
    return maps.numpy(), alpha.detach().double().numpy()


def loss_map(answer: int, observed: float) -> np.ndarray:
    maps, alpha = stored()
    p = float(alpha[answer] / alpha.sum())
    return cross_entropy_map(fraction_maps(maps, alpha)[answer], p, observed)


@pytest.mark.parametrize("answer", range(ANSWERS))
def test_the_fractions_map_is_autograds(answer: int) -> None:
    expected = autograd_map(lambda alpha: alpha[answer] / alpha.sum())
    # both maps and concentrations are float32
    np.testing.assert_allclose(
        fraction_maps(*stored())[answer], expected, atol=1e-6 * np.abs(expected).max()
    )


@pytest.mark.parametrize("observed", [0.0, 0.25, 1.0])
def test_the_cross_entropys_map_is_autograds(observed: float) -> None:
    def loss(alpha: Tensor) -> Tensor:
        p = alpha[1] / alpha.sum()
        return -observed * torch.log(p) - (1 - observed) * torch.log(1 - p)

    expected = autograd_map(loss)
    np.testing.assert_allclose(loss_map(1, observed), expected, atol=1e-6 * np.abs(expected).max())


def test_fractions_that_sum_to_one_have_maps_that_sum_to_nothing() -> None:
    np.testing.assert_allclose(np.sum(fraction_maps(*stored()), axis=0), 0, atol=1e-15)


def test_positive_pixels_cost_the_loss() -> None:
    # against the votes' fraction of 1, a pixel that raises the fraction lowers the loss
    maps, alpha = stored()
    cost, raising = loss_map(1, 1.0), fraction_maps(maps, alpha)[1]
    assert (np.sign(cost) == -np.sign(raising)).all()
    # and a small step along the map's own direction says by how much
    step = 1e-6
    p = alpha[1] / alpha.sum()
    slope = (cross_entropy([[1.0]], [[p + step]]) - cross_entropy([[1.0]], [[p - step]])) / 2 / step
    np.testing.assert_allclose(cost, slope[0, 0] * raising, rtol=1e-6)


MAP = np.array([[[0.0, 3.0], [-2.0, 1.0]]], np.float32)


def test_by_hand() -> None:
    on_galaxy = np.array([[1.0, 0.5], [1.0, 0.0]])
    found = map_statistics(MAP, on_galaxy)
    assert found["increase"] == [4.0]
    assert found["decrease"] == [-2.0]
    assert found["on_target"] == pytest.approx([1.5 / 4])
    assert (found["peak_x"], found["peak_y"]) == ([1], [0])
    # all positive saliency is in the right column, centred half a width from the middle;
    # its rows' mean is (3 * -0.5 + 1 * 0.5) / 4 half widths
    assert found["centroid_offset"] == pytest.approx([np.hypot(0.5, -0.25)])
    p = np.array([3, 2, 1]) / 6
    assert found["entropy"] == pytest.approx([-(p * np.log(p)).sum() / np.log(4)])


def test_extremes() -> None:
    one, even = np.zeros((2, 4, 4), np.float32)
    one[0, 0] = 5
    even[:] = -0.1
    found = map_statistics(np.stack([one, even]), np.ones((4, 4)))
    np.testing.assert_allclose(found["entropy"], [0, 1], atol=1e-12)
    assert found["centroid_offset"][0] == pytest.approx(np.hypot(0.75, 0.75))
    # nothing positive: nothing to be on the target, and no centroid
    assert np.isnan(found["on_target"][1])
    assert np.isnan(found["centroid_offset"][1])
    assert found["on_target"][0] == 1


def test_where_a_map_lies_by_hand() -> None:
    on_galaxy = np.array([[1.0, 0.5], [0.0, 0.0]])
    on_neighbours = np.array([[0.0, 0.5], [0.5, 0.0]])
    found = map_statistics(MAP, on_galaxy, on_neighbours)
    # the 3 lies half on each, the -2 half on neighbours and half on sky, the 1 on sky
    shares = {
        "increase": (1.5 / 4, 1.5 / 4, 1 / 4),
        "decrease": (0, 1 / 2, 1 / 2),
        "": (1.5 / 6, 2.5 / 6, 2 / 6),
    }
    for part, expected in shares.items():
        names = [f"{part}_on_{place}".lstrip("_") for place in ("galaxy", "neighbours", "sky")]
        assert [found[name][0] for name in names] == pytest.approx(expected), part


def test_a_missing_sign_or_segment_is_no_missing_share() -> None:
    lowering = np.full((1, 2, 2), -1.0, np.float32)
    found = map_statistics(lowering, np.array([[1.0, 0.0], [0.0, 0.0]]))
    for part, expected in {"on": (0.25, 0, 0.75), "increase_on": (0, 0, 0)}.items():
        places = (f"{part}_{place}" for place in ("galaxy", "neighbours", "sky"))
        assert tuple(found[name][0] for name in places) == expected
    for nothing in (None, np.full((2, 2), np.nan)):  # a black image is sky alone
        black = map_statistics(lowering, nothing)
        assert (black["on_galaxy"], black["on_neighbours"], black["on_sky"]) == ([0], [0], [1])
        assert np.isnan(black["on_target"])
    flat = map_statistics(np.zeros((1, 2, 2), np.float32), np.ones((2, 2)))
    assert [flat[f"on_{place}"][0] for place in ("galaxy", "neighbours", "sky")] == [0, 0, 0]


def test_many_galaxies_at_once_are_each_alone() -> None:
    random = np.random.default_rng(7)
    maps = random.normal(size=(6, 3, 4)).astype(np.float32)
    galaxy = random.random((6, 3, 4))
    galaxy[2] = np.nan
    neighbours = random.random((6, 3, 4)) * (1 - np.nan_to_num(galaxy))
    together = map_statistics(maps, galaxy, neighbours)
    for row in range(6):
        one = None if row == 2 else galaxy[row]
        alone = map_statistics(maps[row : row + 1], one, neighbours[row])
        for name, values in alone.items():
            np.testing.assert_array_equal(together[name][row], values[0], err_msg=name)


def test_without_segment_or_saliency() -> None:
    nothing = np.zeros((1, 3, 3), np.float32)
    for name in ("on_target", "centroid_offset", "entropy"):
        assert np.isnan(map_statistics(nothing, np.ones((3, 3)))[name])
    assert np.isnan(map_statistics(MAP, None)["on_target"])
    assert map_statistics(nothing, None)["increase"] == [0]
    # one cell is neither concentrated nor spread
    assert np.isnan(map_statistics(np.ones((1, 1, 1), np.float32), None)["entropy"])
    assert map_statistics(np.empty((0, 7, 7), np.float32), None)["increase"].shape == (0,)


@given(
    arrays(np.float32, (3, 5, 5), elements=st.floats(-1e4, 1e4, width=32)),
    arrays(np.float64, (5, 5), elements=st.floats(0, 1)),
)
def test_ranges_and_sums(maps: np.ndarray, coverage: np.ndarray) -> None:
    found = map_statistics(maps, coverage)
    for name in ("on_target", "entropy"):
        values = found[name][~np.isnan(found[name])]
        assert ((values >= 0) & (values <= 1 + 1e-9)).all()
    total = maps.astype(np.float64).sum((1, 2))
    np.testing.assert_allclose(found["increase"] + found["decrease"], total, atol=1e-6)
    assert (found["decrease"] <= 0).all()
    peaks = maps[np.arange(3), found["peak_y"], found["peak_x"]]
    assert (peaks == maps.max((1, 2))).all()


def shape_of(maps: np.ndarray) -> tuple[int, int, int]:
    answers, height, width = maps.shape
    return answers, height, width


@given(arrays(np.float32, array_shapes(min_dims=3, max_dims=3, max_side=9)))
def test_encoding_is_a_round_trip(maps: np.ndarray) -> None:
    np.testing.assert_array_equal(decode(encode(maps), *shape_of(maps)), maps)


@given(st.binary(max_size=64), st.tuples(*[st.integers(-2, 6)] * 3))
def test_a_blob_of_another_size_is_refused(blob: bytes, shape: tuple[int, int, int]) -> None:
    if min(shape) >= 1 and len(blob) == 4 * np.prod(shape):
        assert decode(blob, *shape).shape == shape
        return
    with pytest.raises(CatalogError, match=f"of {len(blob)} bytes"):
        decode(blob, *shape)


def test_a_blob_of_another_type_is_refused() -> None:
    with pytest.raises(CatalogError, match="type '>f8', not <f4"):
        decode(bytes(8), 1, 1, 1, ">f8")


@given(
    arrays(
        np.float32,
        array_shapes(min_dims=2, max_dims=3, max_side=8),
        elements=st.floats(-1e3, 1e3, width=32),
    ),
    st.integers(1, 40),
)
def test_upsampling_is_torchs_bilinear(maps: np.ndarray, size: int) -> None:
    import torch

    fine = upsample(maps, size)
    batch = torch.from_numpy(maps.astype(np.float64)).reshape(1, -1, *maps.shape[-2:])
    expected = torch.nn.functional.interpolate(batch, (size, size), mode="bilinear")
    np.testing.assert_allclose(fine, expected.reshape(fine.shape), atol=1e-9)
    assert fine.min() >= maps.min() - 1e-9
    assert fine.max() <= maps.max() + 1e-9
