"""Maps of several orientations against a slow loop that turns images and maps with NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.saliency.test_deeplift import SIZE, SLICES, Small, images, model_of
from zoolens.catalog.network.model import dropout_masks
from zoolens.catalog.saliency.combined import CombinedExplainer
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.saliency.oriented import OrientedExplainer

T, K = 16, 8
MASKS = dropout_masks(T, 6, 0.3, 1)


@pytest.fixture(scope="module")
def combined() -> CombinedExplainer:
    model = model_of(Small())
    made = DeepLift(model, MASKS, SLICES, size=SIZE)
    return CombinedExplainer(Explainer(model, MASKS, size=SIZE), made)


def each(explain: Callable[[torch.Tensor, int], torch.Tensor]) -> list[np.ndarray]:
    """Maps (N, A, h, w) of each sample t by itself, of its orientation, turned back."""
    found = []
    for t in range(T):
        mirrored, turns = t % K >= 4, (0, 2, 1, 3)[t % 4]
        seen = images().numpy()[..., ::-1] if mirrored else images().numpy()
        seen = np.ascontiguousarray(np.rot90(seen, turns, (2, 3)))
        back = np.rot90(explain(torch.from_numpy(seen), t).numpy(), -turns, (2, 3))
        found.append(back[..., ::-1] if mirrored else back)
    return found


def test_maps_are_over_the_samples_of_all_orientations(combined: CombinedExplainer) -> None:
    model = model_of(Small())
    found = OrientedExplainer(combined, K)(images())
    maps = each(lambda seen, t: Explainer(model, MASKS[[t]], size=SIZE)(seen).mean)
    np.testing.assert_allclose(found.mean, np.mean(maps, axis=0), atol=1e-5)
    np.testing.assert_allclose(found.sd, np.std(maps, axis=0), atol=1e-4)
    assert np.std(maps, axis=0).max() > 0.01


def test_maps_of_fractions_add_up(combined: CombinedExplainer) -> None:
    model = model_of(Small())
    found = OrientedExplainer(combined, K).fractions(images(), SLICES)
    maps = each(lambda seen, t: DeepLift(model, MASKS[[t]], SLICES, size=SIZE)(seen).maps)
    np.testing.assert_allclose(found.mean, np.mean(maps, axis=0), atol=1e-9)
    torch.testing.assert_close(
        found.mean.sum((2, 3)), found.expected - found.baseline, atol=1e-6, rtol=0
    )


def test_both_are_those_of_each_call(combined: CombinedExplainer) -> None:
    oriented = OrientedExplainer(combined, 4)
    own, fractions = oriented.both(images(), SLICES)
    expected = oriented(images()), oriented.fractions(images(), SLICES)
    for some, others in zip((own, fractions), expected, strict=True):
        for name, values in vars(others).items():
            assert torch.equal(getattr(some, name), values)


def test_what_it_is_made_of_stays_as_it_was(combined: CombinedExplainer) -> None:
    before = combined(images())
    oriented = OrientedExplainer(combined, 2)
    assert torch.equal(combined(images()).mean, before.mean)
    assert torch.equal(combined.masks, MASKS)
    for name in ("method", "layer", "engine", "of_fractions", "shareable"):
        assert getattr(oriented, name) == getattr(combined, name)
    assert torch.equal(oriented.masks, MASKS)
