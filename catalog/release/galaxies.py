"""The rows of a release's table of galaxies, read from the store block by block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.release.columns import (
    OF_ANSWER,
    OF_ENSEMBLE,
    OF_ESTIMATE,
    OF_MAP,
    OF_QUESTION,
)
from zoolens.catalog.scoring.credence import credence
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.matrices import (
    Votes,
    read_posteriors,
    read_votes,
)
from zoolens.catalog.store.own_rows import own_columns, read_own
from zoolens.catalog.store.released import (
    Runs,
    read_images_sha256,
    read_values,
)
from zoolens.catalog.store.store import Store

ERROR_RATE = 0.05  # share of votes assumed to be errors, as in `train --error-rate`


@dataclass(frozen=True)
class Block:
    """Some galaxies of a catalogue, with what is used more than once and read only once.

    ids (N,), ascending.
    """

    store: Store
    tree: DecisionTree
    runs: Runs
    ids: Ids

    @cached_property
    def names(self) -> npt.NDArray[np.object_]:
        """Their names, (N,)."""
        names = names_of(self.store, self.ids)
        return np.array([names[number] for number in self.ids.tolist()], object)

    @cached_property
    def votes(self) -> Votes:
        return read_votes(self.store, self.tree, self.ids)

    @cached_property
    def posteriors(self) -> list[tuple[Ids, npt.NDArray[np.float32]]]:
        """As `catalog.store.matrices.read_posteriors`."""
        predict = self.runs.predict
        return [] if predict is None else [*read_posteriors(self.store, predict, self.ids)]

    @cached_property
    def vote_weights(self) -> Floats:
        """Suggested weight of a vote for each answer, (N, A) in 0..1 (`catalog.scoring.credence`).

        NaN where nobody gave the answer, or there are no concentrations to judge it by.
        """
        counts = self.votes.tree_counts
        weights = np.full(counts.shape, np.nan)
        for where, concentrations in self.posteriors:
            weights[where] = credence(counts[where], concentrations, self.tree, ERROR_RATE)
        return np.where(counts > 0, weights, np.nan)


def galaxy_rows(block: Block, columns: pa.Schema, galaxies: pa.Table) -> pa.Table:
    """Rows of a block's N galaxies with the given columns; what is missing is NULL.

    Text of the catalogue's own columns is empty instead.

    galaxies: the columns of the same N galaxies that belong to no answer or question, without the
    user's own.
    """
    own = [said.name for said in own_columns(block.store) if said.name in columns.names]
    kept = read_own(block.store, own, block.ids) if own else {}
    if "image_sha256" in columns.names:
        images = read_images_sha256(block.store, block.ids)
        place = pc.index_in(galaxies["galaxy_id"], images["galaxy_id"])
        galaxies = galaxies.append_column("image_sha256", images["image_sha256"].take(place))
    cells = dict(_cells(block.tree, block.runs.estimates, columns))
    values = _values(block, {source for source, _ in cells.values()})
    arrays = []
    for field in columns:
        if field.name in cells:
            source, place = cells[field.name]
            arrays.append(_array(values[source][:, place], field.type))
        elif field.name in own:
            arrays.append(kept[field.name].combine_chunks().cast(field.type))
        elif field.name not in galaxies.column_names:  # other catalogues of the survey have it
            arrays.append(pa.nulls(len(galaxies), field.type))
        else:
            known = galaxies[field.name].combine_chunks().cast(field.type)
            arrays.append(known.fill_null("") if pa.types.is_string(field.type) else known)
    return pa.Table.from_arrays(arrays, schema=columns)


def without_null_text(rows: pa.Table) -> pa.Table:
    """The same rows, in which text that is missing is empty.

    FITS and VOTable have no NULL for text, nor has astropy's reader of Parquet.
    """
    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type) and rows[place].null_count:
            rows = rows.set_column(place, field, rows[place].fill_null(""))
    return rows


def _cells(
    tree: DecisionTree, estimates: Sequence[str], columns: pa.Schema
) -> Iterator[tuple[str, tuple[str, int]]]:
    """Each column of an answer, question or estimate: the source and position of its values."""
    wanted = set(columns.names)
    # what all answers of a question share is read from the first of them
    shared = {"total", "reach"}
    for q, question in enumerate(tree.questions):
        for kind in OF_QUESTION:
            if (name := question.name + kind.ending) in wanted:
                yield name, (kind.source, tree.slices[q].start if kind.source in shared else q)
    for place, estimated in enumerate(estimates):
        for kind in OF_ESTIMATE:
            if (name := estimated + kind.ending) in wanted:
                yield name, (kind.source, place)
    for k, label in enumerate(tree.labels):
        for kind in (*OF_ANSWER, *OF_ENSEMBLE, *OF_MAP):
            if (name := label + kind.ending) in wanted:
                yield name, (kind.source, k)


def _values(block: Block, sources: set[str]) -> dict[str, Floats]:
    """Matrices of the sources asked for: of answers (N, A), questions (N, Q), estimates (N, L)."""
    found = read_values(block.store, block.tree, block.runs, block.ids, sources)
    if "vote_weight" in sources:
        found["vote_weight"] = block.vote_weights
    return found


def _array(values: Floats, kind: pa.DataType) -> pa.Array:
    """A column as its type; NaN becomes NULL."""
    missing = np.isnan(values)
    if pa.types.is_integer(kind):
        values = np.where(missing, 0, values)
    return pa.array(values.astype(kind.to_pandas_dtype()), kind, mask=missing)
