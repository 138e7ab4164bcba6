"""The rows of a release's table of galaxies, read from the store block by block."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.release.columns import OF_ANSWER, OF_MAP, OF_QUESTION
from zoolens.catalog.scoring.credence import credence
from zoolens.catalog.store.matrices import (
    Votes,
    read_matrices,
    read_posteriors,
    read_rows,
    read_votes,
)
from zoolens.catalog.store.store import Store

ERROR_RATE = 0.05  # share of votes taken to be errors, as `train --error-rate`


@dataclass(frozen=True)
class Runs:
    """The runs that a release is cut from; explain is None where no galaxy is explained."""

    predict: int
    score: int
    explain: int | None


@dataclass(frozen=True)
class _Query:
    """Where values are read: rows of a galaxy and an answer or question, and the run's job."""

    sql: str
    job: str | None
    sources: tuple[str, ...]


_VOTES = _Query(
    "SELECT v.galaxy_id, a.answer_id, v.count, v.total, v.fraction "
    "FROM votes v JOIN answer a ON a.label = v.label",
    None,
    ("count", "total", "fraction"),
)
_OF_ANSWERS = (
    _VOTES,
    _Query(
        """SELECT galaxy_id, answer_id, concentration, fraction AS pred_frac,
    fraction_sd AS sd, fraction_lo AS lo, fraction_hi AS hi, reach
FROM prediction WHERE run_id = ?""",
        "predict",
        ("concentration", "pred_frac", "sd", "lo", "hi", "reach"),
    ),
    _Query("SELECT galaxy_id, answer_id, ce FROM loss WHERE run_id = ?", "score", ("ce",)),
    _Query(
        f"""SELECT galaxy_id, answer_id, {", ".join(kind.source for kind in OF_MAP)}
FROM saliency_stat WHERE run_id = ?""",
        "explain",
        tuple(kind.source for kind in OF_MAP),
    ),
)
_OF_QUESTIONS = (
    _Query(
        "SELECT galaxy_id, question_id, nll FROM question_loss WHERE run_id = ?", "score", ("nll",)
    ),
    _Query(
        "SELECT galaxy_id, question_id, mutual_information FROM question_prediction "
        "WHERE run_id = ?",
        "predict",
        ("mutual_information",),
    ),
)
_IMAGES = """SELECT i.galaxy_id, arg_max(i.sha256, i.run_id) AS image_sha256
FROM image i JOIN run r ON r.run_id = i.run_id AND r.status = 'complete' GROUP BY i.galaxy_id"""


@dataclass(frozen=True)
class Block:
    """Some galaxies of a catalogue, and what is read of them more than once.

    ids (N,), ascending.
    """

    store: Store
    tree: DecisionTree
    runs: Runs
    ids: Ids

    @cached_property
    def names(self) -> npt.NDArray[np.object_]:
        """Their names, (N,)."""
        rows = read_rows(self.store, "SELECT galaxy_id, iauname FROM galaxy", self.ids)
        names: npt.NDArray[np.object_] = rows.sort_by("galaxy_id")["iauname"].to_numpy()
        return names

    @cached_property
    def votes(self) -> Votes:
        return read_votes(self.store, self.tree, self.ids)

    @cached_property
    def posteriors(self) -> list[tuple[Ids, npt.NDArray[np.float32]]]:
        """As `catalog.store.matrices.read_posteriors`."""
        return [*read_posteriors(self.store, self.runs.predict, self.ids)]

    @cached_property
    def vote_weights(self) -> Floats:
        """Suggested weight of a vote for each answer, (N, A) in 0..1 (`catalog.scoring.credence`).

        NaN where nobody gave the answer or there are no concentrations to judge it by.
        """
        counts = self.votes.tree_counts
        weights = np.full(counts.shape, np.nan)
        for where, concentrations in self.posteriors:
            weights[where] = credence(counts[where], concentrations, self.tree, ERROR_RATE)
        return np.where(counts > 0, weights, np.nan)


def galaxy_rows(block: Block, columns: pa.Schema, galaxies: pa.Table) -> pa.Table:
    """Rows of a block's N galaxies with the given columns; what is missing is NULL.

    galaxies: of the same N galaxies the columns that are about no answer or question.
    """
    if "image_sha256" in columns.names:
        images = read_rows(block.store, _IMAGES, block.ids)
        place = pc.index_in(galaxies["galaxy_id"], images["galaxy_id"])
        galaxies = galaxies.append_column("image_sha256", images["image_sha256"].take(place))
    cells = dict(_cells(block.tree, columns))
    values = _values(block, {source for source, _ in cells.values()})
    arrays = []
    for field in columns:
        if field.name in cells:
            source, place = cells[field.name]
            arrays.append(_array(values[source][:, place], field.type))
        else:
            known = galaxies[field.name].combine_chunks().cast(field.type)
            # no text is empty text: FITS and VOTable know nothing else
            arrays.append(known.fill_null("") if pa.types.is_string(field.type) else known)
    return pa.Table.from_arrays(arrays, schema=columns)


def _cells(tree: DecisionTree, columns: pa.Schema) -> Iterator[tuple[str, tuple[str, int]]]:
    """Of each column about an answer or question: its values' source, and place in them."""
    wanted = set(columns.names)
    # what all answers of a question share is read with its first one
    shared = {"total", "reach"}
    for q, question in enumerate(tree.questions):
        for kind in OF_QUESTION:
            if (name := question.name + kind.ending) in wanted:
                yield name, (kind.source, tree.slices[q].start if kind.source in shared else q)
    for k, label in enumerate(tree.labels):
        for kind in (*OF_ANSWER, *OF_MAP):
            if (name := label + kind.ending) in wanted:
                yield name, (kind.source, k)


def _values(block: Block, sources: set[str]) -> dict[str, Floats]:
    """Matrices of the sources asked for, of answers (N, A) or questions (N, Q)."""
    tree = block.tree
    found: dict[str, Floats] = {}
    for queries, width in ((_OF_ANSWERS, len(tree.labels)), (_OF_QUESTIONS, len(tree.questions))):
        for query in queries:
            if sources & set(query.sources):
                run = () if query.job is None else (getattr(block.runs, query.job),)
                found |= read_matrices(block.store, query.sql, block.ids, width, *run)
    if "vote_weight" in sources:
        found["vote_weight"] = block.vote_weights
    return found


def _array(values: Floats, kind: pa.DataType) -> pa.Array:
    """A column as its type; NaN becomes NULL."""
    missing = np.isnan(values)
    if pa.types.is_integer(kind):
        values = np.where(missing, 0, values)
    return pa.array(values.astype(kind.to_pandas_dtype()), kind, mask=missing)
