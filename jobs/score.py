"""`score`: votes against predictions, per answer and per question."""

from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime.parallel import in_order
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.scoring.losses_rows import answer_losses, galaxy_losses, question_losses
from zoolens.catalog.scoring.weights import read_weights
from zoolens.catalog.store.matrices import (
    compared_galaxies,
    read_posteriors,
    read_predictions,
    read_votes,
    votes_state,
)
from zoolens.catalog.store.store import Run, Store

SHARD = 20_000  # galaxies committed at a time: a tenth slower by half of it
_THREADS = 2  # DuckDB has threads of its own to write with


@dataclass(frozen=True)
class ScoreReport:
    """What `score` did.

    changed: whether anything was missing, or another run showed; galaxies: how many were
    scored now; total: by the run, earlier ones included; weighted: answers with a factor
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
        absent = f"; not in this tree: {', '.join(self.absent)}" if self.absent else ""
        return (
            f"{self.galaxies:,} galaxies, {self.total:,} in all; "
            f"{self.weighted} answers weighted{absent}"
        )


def score(catalog: Path, *, weights: str = "paper") -> ScoreReport:
    """Losses of every galaxy with votes and with predictions of the newest run.

    weights: `paper`, `none`, or a YAML or CSV file of labels and weights. Other votes,
    another prediction run or other weights are another run; what the prediction run
    has come to hold since is added to the run there is. Raises `CatalogError` where
    there is nothing to compare, `TableRefused` for bad weights.
    """
    with Store.open(catalog) as store:
        tree = store.tree
        chosen = read_weights(weights, tree)
        predict_run = store.newest_run("predict")
        galaxies = compared_galaxies(store, predict_run)
        if len(galaxies) == 0:
            raise CatalogError(
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
        missing = _missing(store, run, galaxies)
        _score_all(store, run, missing, factors)
        if len(missing) > 0 or not run.complete:
            store.finish(run)
        return ScoreReport(
            run.run_id,
            changed=len(missing) > 0 or not run.complete or run.again,
            galaxies=len(missing),
            total=len(galaxies),
            weighted=int(np.sum(factors != 1)),
            absent=chosen.absent,
        )


def _missing(store: Store, run: Run, galaxies: Ids) -> Ids:
    scored = store.arrow(
        "SELECT galaxy_id FROM loss WHERE run_id = ? AND answer_id = 0", [run.run_id]
    )
    return np.setdiff1d(galaxies, scored["galaxy_id"].to_numpy())


def _score_all(store: Store, run: Run, galaxies: Ids, weights: Floats) -> None:
    """Commit shards of losses; the next ones are computed while one is written."""
    shards = [galaxies[i : i + SHARD] for i in range(0, len(galaxies), SHARD)]
    work = partial(_shard, store, run, weights=weights)
    computed = in_order(work, shards, threads=_THREADS, ahead=1)  # a shard is 0.2 GB
    with progress("score", len(galaxies)) as bar, closing(computed) as tables:
        for ids, rows in zip(shards, tables, strict=True):
            store.commit(run, f"from galaxy {ids[0]}", rows)
            bar.advance(len(ids))


def _shard(store: Store, run: Run, ids: Ids, weights: Floats) -> dict[str, pa.Table]:
    with store.reader() as reader:
        tree, predict_run = reader.tree, int(run.config["predict_run"])
        votes = read_votes(reader, tree, ids)
        predicted, reach = read_predictions(reader, tree, predict_run, ids)
        posteriors = [*read_posteriors(reader, predict_run, ids)]
    nll = np.full(votes.totals.shape, np.nan)
    nll[votes.totals == 0] = 0.0
    for where, concentrations in posteriors:
        nll[where] = dirichlet_multinomial_nll(votes.tree_counts[where], concentrations, tree)
    losses = answer_losses(votes, predicted, reach, weights)
    return {
        "loss": losses,
        "galaxy_loss": galaxy_losses(losses, len(tree.labels)),
        "question_loss": question_losses(votes, nll),
    }
