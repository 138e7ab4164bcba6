"""`score`: votes against predictions, per answer and per question."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats, Floats32, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import NothingHere, few
from zoolens.catalog.runtime.parallel import in_order
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.scoring.losses_rows import answer_losses, galaxy_losses, question_losses
from zoolens.catalog.scoring.weights import read_weights
from zoolens.catalog.store.galaxies import galaxies_of_run
from zoolens.catalog.store.matrices import (
    Votes,
    compared_galaxies,
    read_posteriors,
    read_predictions,
    read_votes,
    votes_state,
)
from zoolens.catalog.store.outdated import clear_outdated, warn_of
from zoolens.catalog.store.shards import Part, fill
from zoolens.catalog.store.store import Run, Store
from zoolens.jobs.reports import InNotebook

SHARD = 20_000  # galaxies committed at a time: a tenth slower by half of it
_THREADS = 2  # for computing; DuckDB writes with its own threads


@dataclass(frozen=True)
class ScoreReport(InNotebook):
    """What `score` did.

    run_id: of the run; changed: whether anything was missing, or another run showed; galaxies: how
    many were scored now; total: by the run, earlier ones included; weighted: answers with a factor
    other than 1; absent: labels of the preset that the tree does not have.
    """

    job: ClassVar[str] = "score"
    notes: ClassVar[tuple[str, ...]] = ()
    run_id: int
    changed: bool
    galaxies: int
    total: int
    weighted: int
    absent: tuple[str, ...]

    @property
    def summary(self) -> str:
        absent = f"; not in this tree: {few(self.absent)}" if self.absent else ""
        if self.absent and not self.weighted:
            absent = ", as the tree has none of the paper's"
        return (
            f"{self.galaxies:,} galaxies, {self.total:,} in all; "
            f"{self.weighted} answers weighted{absent}"
            + ("; its losses show again" if self.changed and not self.galaxies else "")
        )


def score(catalog: Path, *, weights: str = "paper") -> ScoreReport:
    """Losses of every galaxy with votes and with predictions of the newest run.

    weights: `paper`, `none`, or a YAML or CSV file of labels and weights. Other votes,
    another prediction run or other weights are another run; what is new in the
    prediction run is added to the same run. Raises `NothingHere` if
    there is nothing to compare, `TableRefused` for bad weights.
    """
    with Store.open(catalog) as store:
        store.needs_votes("a loss")
        tree = store.tree
        chosen = read_weights(weights, tree)
        warn_of(store, "predict")
        predict_run = store.newest_run("predict")
        galaxies = compared_galaxies(store, predict_run)
        if len(galaxies) == 0:
            raise NothingHere(
                f"no galaxy of {catalog} has both votes and predictions of run {predict_run}; "
                "add some with: zoolens predict"
            )
        factors = chosen.array(tree)
        config = {
            "predict_run": predict_run,
            "votes": votes_state(store),
            "weights": dict(zip(tree.labels, factors.tolist(), strict=True)),
        }
        run = store.begin("score", config, origin={"weights": weights})
        renewed = clear_outdated(store, run)
        missing = np.setdiff1d(galaxies, galaxies_of_run(store, run, "loss"))
        _score_all(store, run, missing, factors)
        return ScoreReport(
            run.run_id,
            changed=store.conclude(run, added=len(missing) + renewed > 0),
            galaxies=len(missing),
            total=len(galaxies),
            weighted=int(np.sum(factors != 1)),
            absent=chosen.absent,
        )


def is_comparable(catalog: Path) -> bool:
    """Whether any galaxy has both votes and predictions of the newest run."""
    with Store.open(catalog, read_only=True) as store:
        return store.has_votes and len(compared_galaxies(store, store.newest_run("predict"))) > 0


@dataclass(frozen=True)
class _Compared:
    """Votes and predictions of the same N galaxies, as `catalog.store.matrices` reads them."""

    votes: Votes
    predicted: Floats
    reach: Floats
    posteriors: Sequence[tuple[Ids, Floats32]]


def _score_all(store: Store, run: Run, galaxies: Ids, weights: Floats) -> None:
    """Commit shards of losses; the next ones are computed while one is written."""
    shards = [galaxies[i : i + SHARD] for i in range(0, len(galaxies), SHARD)]
    fill(
        store,
        run,
        (Part(ids, len(ids)) for ids in shards),
        partial(_losses, weights),
        read=partial(_read, store, store.tree, int(run.config["predict_run"])),
        describe="score",
        total=len(galaxies),
        executor=partial(in_order, threads=_THREADS, ahead=1),  # a shard is 0.2 GB
    )


def _read(store: Store, tree: DecisionTree, predict_run: int, ids: Ids) -> _Compared:
    predicted, reach = read_predictions(store, tree, predict_run, ids)
    posteriors = [*read_posteriors(store, predict_run, ids)]
    return _Compared(read_votes(store, tree, ids), predicted, reach, posteriors)


def _losses(weights: Floats, compared: _Compared) -> dict[str, pa.Table]:
    votes = compared.votes
    nll = np.full(votes.totals.shape, np.nan)
    nll[votes.totals == 0] = 0.0
    for where, concentrations in compared.posteriors:
        nll[where] = dirichlet_multinomial_nll(votes.tree_counts[where], concentrations, votes.tree)
    losses = answer_losses(votes, compared.predicted, compared.reach, weights)
    return {
        "loss": losses,
        "galaxy_loss": galaxy_losses(losses, len(votes.tree.labels)),
        "question_loss": question_losses(votes, nll),
    }
