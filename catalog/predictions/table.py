"""Published predictions, read a block of rows at a time: first their galaxies, then their values.

Whatever the size of the table, what is held is a few numbers a row, and a block. The rows come in
the order of the catalogue's galaxies, which its tables are kept in: if the file has another,
they are sorted on disk.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from zoolens.catalog.arrays import Ids, Ints
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import TableRefused, few
from zoolens.catalog.formats.bounds import MOST_FAULTS
from zoolens.catalog.formats.identifiers import identifier_texts
from zoolens.catalog.formats.reading import TableFile, check_identifiers_type
from zoolens.catalog.formats.sorting import rows_in_order
from zoolens.catalog.predictions.layouts import PublishedLayout, recognise_predictions
from zoolens.catalog.predictions.natures import told
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.votes.checks import Rows
from zoolens.catalog.votes.spelling import respelt

_IMAGE = re.compile(r"\.(png|jpe?g|tiff?|webp|fits?(\.(fz|gz))?)$", re.IGNORECASE)
_ROW, _GALAXY = "row number", "galaxy number"  # beside the columns, while rows are sorted


@dataclass(frozen=True)
class PredictionTable:
    """A table of predictions of a tree, opened.

    misshapen: what is wrong with rows of more or fewer fields than the header, by number; known
    once the rows after them are read. spelt: columns that are read by another name than theirs.
    paths: whether the identifiers are paths of images, as Zoobot's may be; galaxies are then
    named after the files.
    """

    path: Path
    tree: DecisionTree
    layout: PublishedLayout
    spelt: Mapping[str, str]
    paths: bool
    _file: TableFile
    misshapen: dict[int, str] = field(default_factory=dict)

    @property
    def identifiers(self) -> list[str]:
        """The columns that name the galaxies together."""
        return self.layout.identifier.split(",")

    @property
    def columns(self) -> list[str]:
        """The names of all columns."""
        names: list[str] = self._file.schema.names
        return names

    def blocks(self, columns: list[str]) -> Iterator[Rows]:
        """Some columns of all rows, in file order."""
        for numbers, table in self._file.blocks(columns, self.misshapen):
            yield self.rows(table, numbers)
            if len(self.misshapen) > MOST_FAULTS:
                raise too_many_faults(self.path)

    def rows(self, values: pa.Table, numbers: Ints) -> Rows:
        """Rows of the table by their values and numbers, ready to be checked."""
        rows = Rows(self.path, values, self.layout.identifier, numbers)
        if self.paths:
            rows.names = [None if name is None else _file_name(name) for name in rows.names]
        return rows

    def remarks(self) -> list[Reject]:
        """What is to be said of the columns, and of misshapen rows."""
        layout = self.layout
        said = [
            (old, f"respelt column: read as {new}")
            for old, new in self.spelt.items()
            if new in layout.columns
        ]
        said += [
            (name, "missing column: concentrations of some answers; not used")
            for name in layout.incomplete
        ]
        if layout.unread:
            said.append((layout.unread[0], unread_reason(layout)))
        columns = [Reject(str(self.path), None, *each) for each in said]
        rows = (
            Reject(str(self.path), row, None, f"ragged row: {what}")
            for row, what in self.misshapen.items()
        )
        return [*columns, *rows]


def open_predictions(
    path: Path, tree: DecisionTree, *, identifier: str | None = None
) -> PredictionTable:
    """A table of predictions of a tree.

    Its first rows are read, for what they tell of its columns. Raises `TableRefused` if
    it holds nothing of the tree, or what it holds cannot be told.
    """
    file = TableFile(path)
    path = file.path
    names = respelt(path, file.schema.names, [tree])
    file.rename(names)
    layout = recognise_predictions(path, file.schema.names, tree, identifier=identifier)
    check_identifiers_type(path, file.schema, layout.identifier)
    columns = layout.columns if layout.untold else layout.identifier.split(",")
    paths = False
    for _, first in islice(file.blocks(columns, {}), 1):
        layout = told(path, layout, first, tree)
        given = [name for name in identifier_texts(first, layout.identifier) if name]
        paths = bool(given) and all("/" in name or "\\" in name for name in given)
    return PredictionTable(path, tree, layout, names, paths, file)


def _file_name(path: str) -> str:
    """The name of a file without the suffix of images."""
    return _IMAGE.sub("", re.split(r"[/\\]", path)[-1])


def unread_reason(layout: PublishedLayout) -> str:
    """What to say of columns that look like predictions and are not read."""
    count = len(layout.unread)
    shown = few(list(layout.unread))
    columns = "1 column looks" if count == 1 else f"{count} columns look"
    return f"unknown column: {columns} like predictions and are not of the tree: {shown}"


def too_many_faults(path: Path) -> TableRefused:
    """The error for a table with so much wrong that the list of it would fill the memory."""
    return TableRefused(
        f"{path} has more than {MOST_FAULTS:,} faults; are its columns what their names say?"
    )


@dataclass(frozen=True)
class Wanted:
    """The rows of a table that are read: their numbers (N,), ascending, and their galaxies (N,)."""

    rows: Ints
    galaxy_id: Ids

    def __len__(self) -> int:
        return len(self.rows)

    def among(self, numbers: Ints) -> tuple[Ints, Ids]:
        """Positions in `numbers` of wanted rows, and their galaxies."""
        if not len(self.rows):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        place = np.minimum(np.searchsorted(self.rows, numbers), len(self.rows) - 1)
        here = np.flatnonzero(self.rows[place] == numbers)
        return here, self.galaxy_id[place[here]]

    @property
    def in_order(self) -> bool:
        """Whether the galaxies ascend."""
        return bool((self.galaxy_id[1:] > self.galaxy_id[:-1]).all())


def wanted_rows(
    table: PredictionTable, wanted: Wanted, folder: Path, *, most: int, held: int
) -> Iterator[tuple[Rows, Ids]]:
    """The wanted rows with all that is read of them, in order of their galaxies.

    At most `most` rows at a time, and about `held` bytes. folder: for temporary files. Each comes
    with the numbers of its galaxies (N,).
    """
    found = _in_file_order(table, wanted)
    for values, numbers, galaxy_id in found if wanted.in_order else _sorted(found, wanted, folder):
        size = max(1, min(most, held * len(values) // max(1, values.nbytes)))
        for start in range(0, len(values), size):
            here = slice(start, start + size)
            yield table.rows(values.slice(start, size), numbers[here]), galaxy_id[here]


def _in_file_order(table: PredictionTable, wanted: Wanted) -> Iterator[tuple[pa.Table, Ints, Ids]]:
    for rows in table.blocks(table.layout.columns):
        here, galaxy_id = wanted.among(rows.numbers)
        if len(here):
            yield rows.table.take(pa.array(here)), rows.numbers[here], galaxy_id


def _sorted(
    found: Iterator[tuple[pa.Table, Ints, Ids]], wanted: Wanted, folder: Path
) -> Iterator[tuple[pa.Table, Ints, Ids]]:
    """The same rows in order of their galaxies, by way of a temporary file."""
    file = folder / "unsorted.parquet"
    writer, size = None, 0
    try:
        for values, numbers, galaxy_id in found:
            with_numbers = values.append_column(_ROW, pa.array(numbers))
            with_numbers = with_numbers.append_column(_GALAXY, pa.array(galaxy_id))
            if writer is None:
                writer = pq.ParquetWriter(file, with_numbers.schema, compression="zstd")
            writer.write_table(with_numbers)
            size += with_numbers.nbytes
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        return
    order = np.argsort(wanted.galaxy_id, kind="stable")
    for part in rows_in_order(file, order, folder, row_bytes=size // len(wanted) + 1):
        numbers, galaxy_id = part[_ROW].to_numpy(), part[_GALAXY].to_numpy()
        yield part.drop_columns([_ROW, _GALAXY]), numbers, galaxy_id
