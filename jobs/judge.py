"""`demo`: the ranking beside the truth, for a simulated sky."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from catalog.errors import TableRefused
from catalog.ranking import rank_galaxies
from catalog.store import Store


def judge(catalog: Path, truth: Path, *, limit: int = 10, min_votes: float = 0) -> pa.Table:
    """The worst galaxies of a simulated sky, and who was wrong.

    truth: the `truth.parquet` of the sky. Columns rank, iauname, label, votes, observed,
    predicted; truth, the probability of the answer that the votes were drawn from;
    errors, how many of the question's votes were given in error; and `nearer`, whichever of
    volunteers and model is nearer to the truth. Raises `TableRefused` where the truth is
    not that of these galaxies.
    """
    with Store.open(catalog, read_only=True) as store:
        ranking = rank_galaxies(store, limit, min_votes=min_votes)
        tree = store.tree
    answers = {
        label: tree.questions[tree.question_of[tree.answer_id(label)]].labels
        for label in set(ranking["label"].to_pylist())
    }
    columns = sorted(
        {f"{label}_probability" for label in answers}
        | {f"{label}_errors" for labels in answers.values() for label in labels}
    )
    try:
        known = parquet.read_table(truth, columns=["iauname", *columns])
    except (OSError, pa.ArrowException) as error:
        raise TableRefused(f"{truth} is no truth of a sky: {str(error).splitlines()[0]}") from None
    rows = {row["iauname"]: row for row in known.to_pylist()}
    names = ranking["iauname"].to_pylist()
    absent = [name for name in names if name not in rows]
    if absent or len(known.column_names) != 1 + len(columns):
        raise TableRefused(f"{truth} is of another sky: it lacks {(absent or columns)[0]}")
    pairs = list(zip(names, ranking["label"].to_pylist(), strict=True))
    probability = np.array([rows[name][f"{label}_probability"] for name, label in pairs])
    voted, said = (ranking[column].to_numpy() for column in ("observed", "predicted"))
    errors = [
        sum(rows[name][f"{answer}_errors"] for answer in answers[label]) for name, label in pairs
    ]
    nearer = np.where(np.abs(voted - probability) < np.abs(said - probability), "votes", "model")
    return (
        ranking.select(["rank", "iauname", "label", "votes", "observed", "predicted"])
        .append_column("truth", pa.array(probability))
        .append_column("errors", pa.array(errors))
        .append_column("nearer", pa.array(nearer.tolist()))
    )
