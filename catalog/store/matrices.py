"""Votes and predictions of the same galaxies as matrices, read from the store.

One row per galaxy and one column per answer of the tree, so that losses, similarity and
histograms are array arithmetic.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Flags, Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.store.shown import valid
from zoolens.catalog.store.store import Store

# If a total exceeds the sum of its counts by less, that is rounding of weighted votes.
ROUNDING_VOTES = 0.01

# A galaxy with votes or predictions has a row for every answer, so the first one suffices.
_VOTED = """SELECT DISTINCT v.galaxy_id FROM vote v
JOIN run r ON r.run_id = v.run_id AND r.status = 'complete' WHERE v.answer_id = 0"""
_VOTES = """SELECT v.galaxy_id, v.answer_id, v.count, v.total
FROM vote v JOIN run r ON r.run_id = v.run_id AND r.status = 'complete'
JOIN answer a ON a.answer_id = v.answer_id
ANTI JOIN superseded s ON s.run_id = v.run_id AND s.galaxy_id = v.galaxy_id
    AND s.question_id = a.question_id"""
_PREDICTION = valid("prediction")
_PREDICTED = f"SELECT galaxy_id FROM {_PREDICTION} WHERE run_id = ? AND answer_id = 0"


def asked_otherwise(tree: DecisionTree, counts: Floats, totals: Floats) -> Flags:
    """Which questions were asked with answers outside the tree, (N, Q).

    counts (N, A); totals (N, Q), such answers included. Such a question is not the tree's: its
    fractions are missing, whoever reads them. `vote.other_answers` says so in the store.
    """
    starts = [where.start for where in tree.slices]
    return totals - np.add.reduceat(counts, starts, axis=1) > ROUNDING_VOTES


@dataclass(frozen=True)
class Votes:
    """Current votes of N galaxies.

    galaxy_id (N,), ascending; counts (N, A); totals (N, Q), answers outside the tree
    included, 0 where nobody was asked.
    """

    tree: DecisionTree
    galaxy_id: Ids
    counts: Floats
    totals: Floats

    @cached_property
    def tree_counts(self) -> Floats:
        """Counts (N, A), NaN where the question also had answers outside the tree."""
        outside = asked_otherwise(self.tree, self.counts, self.totals)
        return np.where(outside[:, self.tree.question_of], np.nan, self.counts)

    @cached_property
    def observed(self) -> Floats:
        """Vote fractions (N, A) in 0..1.

        NaN where nobody was asked, or the question had answers outside the tree and
        so was not the tree's question.
        """
        totals = self.totals[:, self.tree.question_of]
        with np.errstate(invalid="ignore"):
            return self.tree_counts / np.where(totals > 0, totals, np.nan)


def votes_state(store: Store) -> list[int]:
    """Which votes there are, as the numbers of the complete runs that brought some.

    No run gets more votes once it is complete, so the same runs mean the same votes. Runs
    that only brought images are left out.
    """
    rows = store.arrow(
        "SELECT run_id FROM run WHERE job = 'ingest' AND status = 'complete' ORDER BY run_id"
    )
    runs: list[int] = rows["run_id"].to_pylist()
    # each search ends at the first row found; the distinct runs of all votes need a full read
    return [
        run for run in runs if store.value("SELECT 1 FROM vote WHERE run_id = ? LIMIT 1", [run])
    ]


def predictions_state(store: Store, predict_run: int) -> dict[str, int]:
    """How far a prediction run is: how many shards and rows it has; both only grow."""
    (row,) = store.arrow(
        "SELECT count(*) AS shards, CAST(coalesce(sum(rows), 0) AS BIGINT) AS rows "
        "FROM shard WHERE run_id = ?",
        [predict_run],
    ).to_pylist()
    return {"run": predict_run, **row}


def voted_galaxies(store: Store) -> Ids:
    """Numbers of the galaxies that have votes, ascending."""
    return _ids(store.arrow(f"{_VOTED} ORDER BY galaxy_id"))


def predicted_galaxies(store: Store, predict_run: int) -> Ids:
    """Numbers of the galaxies with predictions of a run, ascending."""
    return _ids(store.arrow(f"{_PREDICTED} ORDER BY galaxy_id", [predict_run]))


def compared_galaxies(store: Store, predict_run: int) -> Ids:
    """Numbers of the galaxies with votes and with predictions of a run, ascending."""
    return _ids(
        store.arrow(
            f"SELECT galaxy_id FROM ({_VOTED}) SEMI JOIN ({_PREDICTED}) USING (galaxy_id) "
            "ORDER BY galaxy_id",
            [predict_run],
        )
    )


def without_votes(store: Store, galaxy_id: Ids) -> Ids:
    """Those of the galaxies (N,), ascending, that nobody voted on, whatever was asked."""
    rows = read_rows(store, f"SELECT DISTINCT galaxy_id FROM ({_VOTES})", galaxy_id)
    return np.setdiff1d(galaxy_id, _ids(rows))


def read_votes(store: Store, tree: DecisionTree, galaxy_id: Ids) -> Votes:
    """Current votes of the galaxies numbered `galaxy_id`, ascending."""
    rows = read_rows(store, _VOTES, galaxy_id)
    counts, totals = _matrices(rows, galaxy_id, len(tree.labels), 0.0)
    return Votes(tree, galaxy_id, counts, totals[:, [where.start for where in tree.slices]])


def question_totals(store: Store, galaxy_id: Sequence[int]) -> dict[tuple[int, str], float]:
    """Volunteers who were asked a question, by galaxy and question, where there are votes."""
    # every answer of a question has the question's total
    rows = store.rows(
        "SELECT galaxy_id, question, max(total) FROM votes "
        "WHERE galaxy_id IN (SELECT unnest(CAST(? AS BIGINT[]))) GROUP BY galaxy_id, question",
        [list(galaxy_id)],
    )
    return {(number, question): total for number, question, total in rows}


def asked_galaxies(store: Store, predict_run: int, answer_id: int) -> tuple[Ids, Floats]:
    """Galaxies whose volunteers were asked the question of an answer, and how many were.

    Those who were asked it with answers outside the tree were asked another question; those that
    a run predicts, but not this answer, are left out.
    """
    unpredicted = f"""SELECT galaxy_id FROM {_PREDICTION}
    WHERE run_id = ? AND answer_id = ? AND fraction IS NULL"""
    rows = store.arrow(
        f"""SELECT v.galaxy_id, v.total FROM vote v
JOIN run r ON r.run_id = v.run_id AND r.status = 'complete'
JOIN answer a ON a.answer_id = v.answer_id
ANTI JOIN superseded s ON s.run_id = v.run_id AND s.galaxy_id = v.galaxy_id
    AND s.question_id = a.question_id
ANTI JOIN ({unpredicted}) p ON p.galaxy_id = v.galaxy_id
WHERE v.answer_id = ? AND v.total > 0 AND v.other_answers IS NOT TRUE""",
        [predict_run, answer_id, answer_id],
    )
    return _ids(rows), rows["total"].to_numpy()


def read_predictions(
    store: Store, tree: DecisionTree, predict_run: int, galaxy_id: Ids
) -> tuple[Floats, Floats]:
    """Expected vote fraction and reach of the galaxies' answers by a run.

    Two arrays (N, A), in 0..1, NaN where the model lacks an answer.
    """
    sql = f"SELECT galaxy_id, answer_id, fraction, reach FROM {_PREDICTION} WHERE run_id = ?"
    rows = read_rows(store, sql, galaxy_id, predict_run)
    fractions, reach = _matrices(rows, galaxy_id, len(tree.labels), np.nan)
    return fractions, reach


def mean_concentrations(
    store: Store, tree: DecisionTree, predict_run: int | None, galaxy_id: Ids
) -> Floats:
    """Concentrations of the galaxies' answers by a run, (N, A), NaN where it has none."""
    sql = f"SELECT galaxy_id, answer_id, concentration FROM {_PREDICTION} WHERE run_id = ?"
    return read_matrices(store, sql, galaxy_id, len(tree.labels), predict_run)["concentration"]


def read_posteriors(
    store: Store, predict_run: int, galaxy_id: Ids
) -> Iterator[tuple[Ids, npt.NDArray[np.float32]]]:
    """Concentrations of those galaxies that have them, one batch per number of samples.

    Yields positions in `galaxy_id` (M,) and concentrations (M, T, A), NaN where the
    model lacks an answer. A run of plain fractions yields nothing.
    """
    source = valid("posterior")
    sql = f"SELECT galaxy_id, samples, answers, concentrations FROM {source} WHERE run_id = ?"
    rows = read_rows(store, sql, galaxy_id, predict_run)
    where = np.searchsorted(galaxy_id, _ids(rows))
    samples = rows["samples"].to_numpy()
    for number in np.unique(samples):
        chosen = samples == number
        some = rows if chosen.all() else rows.filter(pa.array(chosen))
        values = floats(some["concentrations"])
        yield where[chosen], values.reshape(len(some), number, -1)


def read_matrices(
    store: Store, sql: str, galaxy_id: Ids, width: int, *parameters: Any
) -> dict[str, Floats]:
    """Columns of a query for (galaxy_id, number below `width`, …), by name, as (N, width).

    NaN where a galaxy has no such row or the value is NULL.
    """
    rows = read_rows(store, sql, galaxy_id, *parameters)
    found = _matrices(rows, galaxy_id, width, np.nan)
    return dict(zip(rows.column_names[2:], found, strict=True))


def read_rows(store: Store, sql: str, galaxy_id: Ids, *parameters: Any) -> pa.Table:
    """Rows of `sql`, with a column galaxy_id, that are about the galaxies (N,), ascending."""
    if len(galaxy_id) == 0:
        return store.arrow(f"SELECT * FROM ({sql}) LIMIT 0", parameters)
    first, last = int(galaxy_id[0]), int(galaxy_id[-1])
    if last - first + 1 == len(galaxy_id):
        which = f"BETWEEN {first} AND {last}"
    else:
        # as literals, so that DuckDB skips row groups without them: it does not for a parameter
        which = f"IN ({', '.join(map(str, galaxy_id.tolist()))})"
    return store.arrow(f"SELECT * FROM ({sql}) WHERE galaxy_id {which}", parameters)


def _matrices(rows: pa.Table, galaxy_id: Ids, answers: int, missing: float) -> list[Floats]:
    """Spread columns 3 and on of (galaxy_id, answer_id, …) over (N, A) matrices.

    The second column may number anything else that every galaxy has, such as questions.
    """
    shape = len(galaxy_id), answers
    galaxy, answer = _ids(rows), rows.column(1).to_numpy()
    values = [rows[name].to_numpy() for name in rows.column_names[2:]]  # NULL becomes NaN
    if len(rows) == galaxy_id.size * answers:  # none is missing: mostly so
        galaxies, numbers = galaxy.reshape(shape), answer.reshape(shape)
        if (galaxies == galaxy_id[:, None]).all() and (numbers == np.arange(answers)).all():
            return [column.reshape(shape).astype(np.float64) for column in values]
    place = np.searchsorted(galaxy_id, galaxy), answer
    matrices = []
    for column in values:
        matrix = np.full(shape, missing)
        matrix[place] = column
        matrices.append(matrix)
    return matrices


def floats(blobs: pa.ChunkedArray) -> npt.NDArray[np.float32]:
    """The values of blobs of float32, one blob after another, without a copy of each."""
    parts = [np.empty(0, np.float32)]
    for chunk in blobs.cast(pa.large_binary()).chunks:
        _, offsets, data = chunk.buffers()
        ends = np.frombuffer(offsets, np.int64)[chunk.offset : chunk.offset + len(chunk) + 1]
        parts.append(np.frombuffer(data, "<f4", (ends[-1] - ends[0]) // 4, ends[0]))
    return np.concatenate(parts)


def _ids(rows: pa.Table) -> Ids:
    ids: Ids = rows["galaxy_id"].to_numpy()
    return ids
