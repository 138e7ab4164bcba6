"""Concentrations and fractions are told apart by their values, or not at all."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import TOY, random_concentrations
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.predictions.layouts import recognise_predictions
from zoolens.catalog.predictions.natures import told

SOURCE = Path("zoobot.csv")
ALPHA = random_concentrations(5, 3)  # (N, T, A)


def _told(values: np.ndarray, ending: str = "_pred") -> tuple[int, int]:
    """How many columns are taken for concentrations and fractions; values (N, A) or (N, T, A)."""
    columns = {"iauname": [f"J{i}" for i in range(len(values))]}
    for k, label in enumerate(TOY.labels):
        columns[label + ending] = values[..., k].tolist()
    table = pa.table(columns)
    layout = recognise_predictions(SOURCE, table.column_names, TOY)
    found = told(SOURCE, layout, table, TOY)
    assert not found.untold
    return len(found.concentrations), len(found.fractions)


def _fractions() -> np.ndarray:
    fractions = np.empty((5, len(TOY.labels)))
    for where in TOY.slices:
        fractions[:, where] = ALPHA[:, 0, where] / ALPHA[:, 0, where].sum(axis=1, keepdims=True)
    return fractions


@pytest.mark.parametrize("ending", ["_pred", ""])
def test_from_one_up_they_are_concentrations(ending: str) -> None:
    assert _told(ALPHA, ending) == (len(TOY.labels), 0)
    assert _told(ALPHA[:, 0], ending) == (len(TOY.labels), 0)


def test_what_adds_up_to_one_are_fractions() -> None:
    fractions = _fractions()
    fractions[2] = np.nan
    assert _told(fractions) == (0, len(TOY.labels))


@pytest.mark.parametrize(
    ("values", "ending", "said"),
    [
        (_fractions() * 0.5, "_pred", "neither concentrations, which are 1 or more"),
        (ALPHA - 0.9, "_pred", "rename the columns to end in _concentration or _fraction"),
        (np.stack([_fractions()] * 2, axis=1), "_pred", "neither"),  # samples of fractions
        (_fractions() - 1, "_pred", "neither"),
        (np.full((5, len(TOY.labels)), np.nan), "_pred", "are empty"),
        (np.rint(ALPHA[:, 0]), "", "whole numbers, as counts of votes are"),
    ],
)
def test_what_is_neither_is_refused_with_what_to_do(
    values: np.ndarray, ending: str, said: str
) -> None:
    with pytest.raises(TableRefused, match=said):
        _told(values, ending)
