"""The ranking beside the truth, for a simulated sky, and who was wrong."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.ranking import rank_galaxies
from catalog.store import Store
from catalog.truth_table import read_truth


def judge(store: Store, truth: Path, *, limit: int = 10, min_votes: float = 0) -> pa.Table:
    """The worst galaxies of a simulated sky, and who was wrong.

    truth: the `truth.parquet` of the sky. Columns rank, iauname, label, votes, observed,
    predicted; truth, the probability of the answer that the votes were drawn from;
    errors, how many of the question's votes were given in error; and `nearer`, whichever of
    volunteers and model is nearer to the truth. Raises `TableRefused` where the truth is
    not that of these galaxies.
    """
    ranking = rank_galaxies(store, limit, min_votes=min_votes)
    tree = store.tree
    known = read_truth(truth, ranking["iauname"].to_pylist(), tree)
    answers = [tree.answer_id(label) for label in ranking["label"].to_pylist()]
    probability = known.probabilities[np.arange(len(answers)), answers]
    errors = [
        int(row[tree.slices[tree.question_of[answer]]].sum())
        for row, answer in zip(known.errors, answers, strict=True)
    ]
    voted, said = (ranking[column].to_numpy() for column in ("observed", "predicted"))
    nearer = np.where(np.abs(voted - probability) < np.abs(said - probability), "votes", "model")
    return (
        ranking.select(["rank", "iauname", "label", "votes", "observed", "predicted"])
        .append_column("truth", pa.array(probability))
        .append_column("errors", pa.array(errors, pa.int64()))
        .append_column("nearer", pa.array(nearer.tolist()))
    )
