"""Rows of the tables of losses, from matrices of galaxies by answers or questions."""

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.scoring.losses import cross_entropy
from zoolens.catalog.store.matrices import Votes
from zoolens.catalog.store.tables import arrow_schema


def answer_losses(votes: Votes, predicted: Floats, reach: Floats, weights: Floats) -> pa.Table:
    """Rows of table `loss`, without their run: N galaxies x A answers, in that order.

    predicted, reach (N, A), NaN where missing; weights (A,).
    """
    ce = cross_entropy(votes.observed, predicted)
    galaxies, answers = ce.shape
    columns = {
        "observed": votes.observed,
        "predicted": predicted,
        "ce": ce,
        "weight": np.broadcast_to(weights, ce.shape),
        "weighted_ce": _times(weights, ce),
        "reach_weighted_ce": _times(reach, ce),
        "total_votes": votes.totals[:, votes.tree.question_of],
    }
    return pa.table(
        {
            "galaxy_id": np.repeat(votes.galaxy_id, answers),
            "answer_id": np.tile(np.arange(answers, dtype=np.int32), galaxies),
            **{name: _nullable(values) for name, values in columns.items()},
        },
        schema=arrow_schema("loss"),
    )


def galaxy_losses(losses: pa.Table, answers: int) -> pa.Table:
    """Rows of table `galaxy_loss`: each galaxy's row with the largest weighted_ce.

    losses: rows of `answer_losses`. Among equals the first answer in the tree;
    a galaxy without any weighted_ce has no row.
    """
    weighted = losses["weighted_ce"].to_numpy().reshape(-1, answers)
    known = np.flatnonzero(~np.isnan(weighted).all(axis=1))
    rows = known * answers + np.nanargmax(weighted[known], axis=1)
    return losses.drop_columns(["weight", "reach_weighted_ce"]).take(rows)


def question_losses(votes: Votes, nll: Floats) -> pa.Table:
    """Rows of table `question_loss`, without their run: nll (N, Q), nat, NaN if missing."""
    galaxies, questions = nll.shape
    return pa.table(
        {
            "galaxy_id": np.repeat(votes.galaxy_id, questions),
            "question_id": np.tile(np.arange(questions, dtype=np.int32), galaxies),
            "nll": _nullable(nll),
            "total_votes": _nullable(votes.totals),
        },
        schema=arrow_schema("question_loss"),
    )


def _times(factor: Floats, ce: Floats) -> Floats:
    """The product; 0 times an infinite loss is 0: an answer without weight cannot rank."""
    with np.errstate(invalid="ignore"):
        return np.where((factor == 0) & np.isinf(ce), 0.0, factor * ce)


def _nullable(values: Floats) -> pa.Array:
    """Values of a matrix, row by row; NaN becomes NULL."""
    return pa.array(values.ravel(), pa.float64(), from_pandas=True)
