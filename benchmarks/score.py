"""Losses of a whole survey: ours beside the paper's loop and a vectorised NumPy.

Votes and predictions are synthetic (GZD-5 tree). Ours reads them from a catalogue and
writes every loss into it; the others are given arrays and only compute.
"""

import math
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contest import Contest, Way
from tests.made.catalogues import (
    add_predictions,
    add_votes,
    expected_fractions,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.arrays import Floats
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.score import score

_CLI = Path(__file__).resolve().parent.parent / "cli.py"
GALAXIES, LOOP_ROWS, MADE = 314_000, 300, 20_000
SAMPLES = 5  # of the posterior, for the likelihood
TREE = get_tree("gzd5")
_WORST = "SELECT iauname, label, weighted_ce FROM losses ORDER BY weighted_ce DESC LIMIT 10"
_FORGET = (
    "DELETE FROM loss",
    "DELETE FROM galaxy_loss",
    "DELETE FROM question_loss",
    "DELETE FROM shard WHERE run_id IN (SELECT run_id FROM run WHERE job = 'score')",
    "DELETE FROM run WHERE job = 'score'",
    "CHECKPOINT",
)


def contests(folder: Path) -> Iterator[Contest]:
    """Scoring, and the first question asked of the scores."""
    counts = random_counts(MADE, TREE)
    concentrations = random_concentrations(MADE, SAMPLES, TREE)
    path = folder / "score.duckdb"
    fill(path, counts, concentrations)
    asked = np.add.reduceat(counts, [where.start for where in TREE.slices], axis=1)
    with np.errstate(invalid="ignore"):
        observed = counts / asked[:, TREE.question_of]
    predicted = expected_fractions(concentrations, TREE)

    def check(_: Mapping[str, Any]) -> None:
        with Store.open(path, read_only=True) as store:
            rows = store.arrow("SELECT ce FROM loss WHERE galaxy_id < ? ORDER BY ALL", [LOOP_ROWS])
        expected = np.sort([ce for ce in _loop(observed, predicted).values() if ce == ce])
        found = np.sort(rows["ce"].drop_null().to_numpy())
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)

    yield Contest(
        f"scores of {GALAXIES:,} galaxies, likelihood of {SAMPLES} samples too",
        {
            "zoolens, into the catalogue": Way(
                lambda: score(path), GALAXIES, before=lambda: _forget(path)
            ),
            "NumPy in memory, cross-entropy only": Way(
                lambda: _vectorised(observed, predicted), MADE
            ),
            "pandas, a galaxy at a time, cross-entropy only": Way(
                lambda: _loop(observed, predicted), LOOP_ROWS, repeats=0
            ),
        },
        repeats=3,
        check=check,
    )
    losses = GALAXIES * len(TREE.labels)
    with Store.open(path, read_only=True) as store:
        yield Contest(
            f"ten worst galaxies of {losses:,} losses, in an open catalogue",
            {
                "zoolens worst": Way(lambda: rank_galaxies(store, 10)),
                "SELECT ... FROM losses ORDER BY ... LIMIT 10": Way(lambda: store.arrow(_WORST)),
                "SELECT ... FROM worst ... LIMIT 10": Way(
                    lambda: store.arrow("FROM worst ORDER BY rank LIMIT 10"), repeats=1
                ),
            },
        )
    yield Contest(
        "a command, from its start to its end",
        {
            "zoolens sql, ten worst": _command("sql", _WORST, "--catalog", str(path)),
            "zoolens --help": _command("--help"),
            "python -c pass": Way(lambda: subprocess.run([sys.executable, "-c", "pass"])),
        },
    )


def _command(*arguments: str) -> Way:
    command = [sys.executable, str(_CLI), *arguments]
    return Way(lambda: subprocess.run(command, check=True, capture_output=True))


def fill(path: Path, counts: Floats, concentrations: np.ndarray) -> None:
    """A catalogue of `GALAXIES` with these votes and predictions, again and again."""
    with Store.open(path, create=True) as store:
        store.set_tree(TREE)
        for start in range(0, GALAXIES, MADE):
            size = min(MADE, GALAXIES - start)
            ids = add_votes(store, counts[:size])
            add_predictions(store, concentrations[:size], galaxy_ids=ids, shard=str(start))


def _forget(path: Path) -> None:
    with Store.open(path) as store:
        for statement in _FORGET:
            store.execute(statement)


def _vectorised(observed: Floats, predicted: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        ce: Floats = -(observed * np.log(predicted) + (1 - observed) * np.log(1 - predicted))
    return ce


def _loop(observed: Floats, predicted: Floats) -> dict[Any, float]:
    """As one writes it first: two tables, a row at a time."""
    votes, model = pd.DataFrame(observed[:LOOP_ROWS]), pd.DataFrame(predicted[:LOOP_ROWS])
    losses: dict[Any, float] = {}
    for galaxy in votes.index:
        for answer in votes.columns:
            y, p = votes.loc[galaxy, answer], model.loc[galaxy, answer]
            losses[galaxy, answer] = -(y * math.log(p) + (1 - y) * math.log(1 - p))
    return losses
