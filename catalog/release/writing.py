"""The tables of a release: as Parquet in one pass over the galaxies, then in other formats.

Threads read a block of galaxies each and make its rows of every table; one thread writes them
in order, so that the same catalogue gives the same bytes. The other formats
of the table of galaxies are made from its Parquet file.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import NO_TREE
from zoolens.catalog.formats.csv import write_csv
from zoolens.catalog.formats.fits import write_fits
from zoolens.catalog.formats.hats_pixels import Span
from zoolens.catalog.formats.parquet import DescribedParquet
from zoolens.catalog.formats.votable import write_votable
from zoolens.catalog.paths import TABLES, galaxies_path, table_path
from zoolens.catalog.release.contents import Contents
from zoolens.catalog.release.contributions import Contribution
from zoolens.catalog.release.documents import Described
from zoolens.catalog.release.galaxies import Block, galaxy_rows, without_null_text
from zoolens.catalog.release.long_tables import LongTable, answers_table
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.runtime.parallel import in_order
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.store.released import Runs, galaxy_facts, sorted_rows
from zoolens.catalog.store.row_filter import RowFilter
from zoolens.catalog.store.store import Store, code_version

BLOCK = 4_096  # galaxies read at a time
_SORTED = 122_880  # rows of a sorted table that Parquet holds together
_THREADS = 2
OF_AN_ANSWER = "answer of the decision tree"
COUNTERPARTS = ("observed_counterpart", "predicted_counterpart")


def write_facts(
    store: Store, contribution: Contribution, contents: Contents, piece: int, file: Path
) -> None:
    """Write the columns of galaxies that belong to no answer or question, a row group per block.

    Ranks are among the galaxies of this catalogue, which is the column `piece` of them all.
    """
    batches = galaxy_facts(store, contents.min_votes, BLOCK, ranked=contribution.held.losses)
    number = pa.field("piece", pa.int32())
    with pq.ParquetWriter(file, batches.schema.append(number)) as writer:
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            same = pa.array(np.full(len(rows), piece, np.int32))
            writer.write_table(rows.append_column(number, same), row_group_size=BLOCK)


class TableWriter:
    """The Parquet files of a release, to which catalogues are added; a context manager.

    rows: of each table by name; groups: the row groups of galaxies of each catalogue; best:
    galaxy_id, and the names of the counterparts, of the galaxies that have some.
    """

    def __init__(self, contents: Contents, folder: Path, best: pa.Table) -> None:
        self.rows = {"galaxies": 0} | {table.name: 0 for table in contents.tables}
        self.groups: list[range] = []
        self._contents, self._folder, self._best = contents, folder, best
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._contents.tables:
            (self._folder / TABLES).mkdir()
        columns, path = self._contents.columns, galaxies_path(self._folder)
        opened = {"galaxies": DescribedParquet(path, columns, "galaxies", "galaxy")}
        for table in self._contents.tables:
            path = table_path(self._folder, table.name)
            opened[table.name] = DescribedParquet(path, table.columns, table.name, table.row)
        self._files = {n: self._stack.enter_context(file) for n, file in opened.items()}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, store: Store, runs: Runs, facts: Path, said: str) -> Ids:
        """Write the rows of a catalogue; returns the numbers of its galaxies (N,), ascending.

        facts: the file of `write_facts`, with final ranks; said: what progress is of.
        """
        make = partial(_make, store, runs, self._contents, facts, self._best)
        groups = range(pq.ParquetFile(facts).num_row_groups)
        ids = [np.empty(0, np.int64)]
        made = in_order(make, groups, threads=_THREADS, ahead=1)
        with closing(made) as blocks, progress(said, len(groups)) as bar:
            for galaxy_id, block in blocks:
                ids.append(galaxy_id)
                for name, table in block.items():
                    self._files[name].write(table)
                    self.rows[name] += len(table)
                bar.advance()
        galaxies = self._files["galaxies"]
        galaxies.end_group()  # so that each catalogue's rows can be read alone
        self.groups.append(range(self.groups[-1].stop if self.groups else 0, galaxies.groups))
        return np.concatenate(ids)


def write_answers(store: Store, weights: Mapping[str, float] | None, folder: Path) -> None:
    """Write the answers of the tree, with their weights in the ranking if there is one."""
    answers = answers_table(store, weights)
    file = table_path(folder, "answers")
    with DescribedParquet(file, answers.schema, "answers", OF_AN_ANSWER) as writer:
        writer.write(answers)


def sort_tables(store: Store, tables: Sequence[LongTable], folder: Path, scratch: Path) -> None:
    """Sort the rows of those tables that have an order, on disk if they do not fit in memory."""
    for table in tables:
        if table.order:
            _sort(store, table, table_path(folder, table.name), scratch)


def write_formats(
    folder: Path, title: Title, formats: Sequence[str], day: str, spans: Sequence[Span]
) -> None:
    """Write the table of galaxies in other formats, from its Parquet file.

    formats: names of `catalog.paths.RELEASE_FORMATS`; day: ISO date that HATS states; spans: which
    of its rows lie where on the sky.
    Raises `CatalogError` for what a format cannot hold.
    """
    table, words = galaxies_path(folder), f"{title}: one row per galaxy."
    said = {"ORIGIN": "Zoolens", "RELEASE": title.name, "VERSION": title.version}
    for form in formats:
        out = galaxies_path(folder, form)
        if form == "fits":
            write_fits(table, out, name="galaxies", comments=said)
        elif form == "votable":
            write_votable(table, out, name="galaxies", description=words)
        elif form == "csv":
            write_csv(table, out)
        elif form == "hats":
            from zoolens.catalog.formats.hats import write_hats

            name = re.sub(r"[^a-z0-9]+", "_", f"{title.name} {title.version}".lower()).strip("_")
            builder = f"zoolens v{code_version()}"
            created = f"{day}T00:00UTC"
            write_hats(table, out, name=name, created=created, builder=builder, spans=spans)


def described(folder: Path, tables: Sequence[LongTable]) -> dict[str, Described]:
    """Descriptions of galaxies, long tables and answers by name, from their files."""
    rows = {"galaxies": "galaxy", **{table.name: table.row for table in tables}}
    found = {}
    for name, row in (rows | ({"answers": OF_AN_ANSWER} if tables else {})).items():
        file = table_path(folder, name)
        with pq.ParquetFile(file) as table:
            found[name] = Described(row, table.metadata.num_rows, table.schema_arrow)
    return found


def _make(
    store: Store, runs: Runs, contents: Contents, facts: Path, best: pa.Table, group: int
) -> tuple[Ids, dict[str, pa.Table]]:
    """The numbers of a block's galaxies that are released, and their rows of all tables."""
    known = pq.ParquetFile(facts).read_row_group(group)
    where = pc.index_in(known["galaxy_id"], best["galaxy_id"])
    for name in COUNTERPARTS:
        known = known.append_column(name, best[name].take(where))
    with store.reader() as reader:
        block = Block(reader, reader.tree_or_none or NO_TREE, runs, known["galaxy_id"].to_numpy())
        if contents.condition is None:
            galaxies = without_null_text(galaxy_rows(block, contents.columns, known))
        else:
            every = galaxy_rows(block, contents.every, known)
            kept = RowFilter(contents.condition, contents.every).kept(every)
            galaxies = without_null_text(kept.select(contents.columns.names))
            here = pc.is_in(known["iauname"], kept["iauname"])
            block = Block(reader, block.tree, runs, known["galaxy_id"].filter(here).to_numpy())
        tables = {table.name: table.read(block) for table in contents.tables if len(galaxies)}
        return block.ids, {"galaxies": galaxies, **tables}


def _sort(store: Store, table: LongTable, file: Path, scratch: Path) -> None:
    """Sort the rows of a whole table, on disk if they do not fit in memory."""
    unsorted = file.replace(scratch / file.name)
    batches = sorted_rows(store, str(unsorted), table.order, _SORTED)
    with DescribedParquet(file, table.columns, table.name, table.row) as writer:
        for batch in batches:
            writer.write(pa.Table.from_batches([batch]).cast(table.columns))
    unsorted.unlink()
