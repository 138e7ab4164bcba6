"""Maps of fractions as an explainer makes them, by galaxy and answer."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from tests.made.catalogues import TOY, catalogue, random_counts
from zoolens.catalog.explain.derived import FractionMap, made_fractions, of_fractions
from zoolens.catalog.saliency.explainer import Fractions
from zoolens.catalog.store.store import Store


def test_fractions_come_with_their_baselines(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    answers = len(TOY.labels)
    expected = torch.full((2, answers), 0.25, dtype=torch.float64)
    expected[1, 3] = torch.nan  # the model lacks the answer
    baseline = torch.full_like(expected, torch.nan)
    baseline[0, 3] = 0.5
    maps = torch.arange(2 * answers * 4, dtype=torch.float64).reshape(2, answers, 2, 2)
    made = Fractions(expected, maps, baseline)
    explained = SimpleNamespace(explainer=SimpleNamespace(fractions=lambda *_: made))
    wanted = {7: [3, 4], 9: [3]}
    with Store.open(path, read_only=True) as store:
        found = made_fractions(store, explained, torch.zeros(2, 3, 8, 8), np.array([7, 9]), wanted)  # type: ignore[arg-type]
        shown = of_fractions(store, found, "fraction")
    assert list(found) == [(7, 3), (7, 4)]
    assert isinstance(found[7, 3], FractionMap)
    assert (found[7, 3].expected, found[7, 3].baseline) == (0.25, 0.5)
    assert found[7, 4].baseline is None
    np.testing.assert_array_equal(shown[7, 4], maps[0, 4].numpy())
