"""The tables of a release: as Parquet in one pass over the galaxies, then in other formats.

Threads read a block of galaxies each and make its rows of every table; one thread writes them
in order, so that the same catalogue gives the same bytes. The other formats
of the table of galaxies are made from its Parquet file.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import NO_TREE
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.csv import write_csv
from zoolens.catalog.formats.fits import write_fits
from zoolens.catalog.formats.parquet import DescribedParquet
from zoolens.catalog.formats.votable import write_votable
from zoolens.catalog.paths import TABLES, galaxies_path, table_path
from zoolens.catalog.release.documents import Described
from zoolens.catalog.release.galaxies import Block, galaxy_rows, without_null_text
from zoolens.catalog.release.long_tables import LongTable
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.runtime.parallel import in_order
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.similarity.counterparts import counterparts_of_many
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.released import Runs, galaxy_facts, sorted_rows, worst_answers
from zoolens.catalog.store.row_filter import RowFilter
from zoolens.catalog.store.store import Store, code_version

BLOCK = 4_096  # galaxies read at a time
_SORTED = 122_880  # rows of a sorted table that Parquet holds together
_THREADS = 2


@dataclass(frozen=True)
class Contents:
    """What a release holds.

    every: all columns that there are, which `condition` (SQL or None) may use; columns: those
    of the table of galaxies; min_votes: how many volunteers must have been
    asked a question for its answers to rank, for the galaxy to be there at all, and, of the
    question of the answer, for it to be a counterpart, where 0 is the default of `find_many`;
    counterparts: of how many of the worst galaxies; tables: the long tables.
    """

    every: pa.Schema
    columns: pa.Schema
    condition: str | None
    min_votes: float
    counterparts: int
    tables: Sequence[LongTable]


@dataclass(frozen=True)
class Written:
    """What was written: rows of each table by name, and the galaxies' numbers (N,), ascending."""

    rows: dict[str, int]
    galaxy_id: Ids


def write_tables(
    store: Store, runs: Runs, contents: Contents, folder: Path, scratch: Path
) -> Written:
    """Write the table of galaxies and the long tables into `folder`.

    scratch: a folder for temporary files. Raises `CatalogError` if no galaxy
    is left.
    """
    store.bound_memory(scratch)
    facts = scratch / "facts.parquet"
    _write_facts(store, contents, facts)
    groups = pq.ParquetFile(facts).num_row_groups
    rows = {"galaxies": 0} | {table.name: 0 for table in contents.tables}
    ids = [np.empty(0, np.int64)]
    make = partial(_make, store, runs, contents, facts)
    made = in_order(make, range(groups), threads=_THREADS, ahead=1)
    with ExitStack() as stack, progress("release", groups) as bar, closing(made) as blocks:
        writers = _writers(stack, contents, folder)
        for galaxy_id, block in blocks:
            ids.append(galaxy_id)
            for name, table in block.items():
                writers[name].write(table)
                rows[name] += len(table)
            bar.advance()
    if not rows["galaxies"]:
        raise CatalogError(
            "no galaxy is left to release; ask for fewer votes or loosen the condition"
        )
    for table in contents.tables:
        if table.order:
            _sort(store, table, table_path(folder, table.name), scratch)
    return Written(rows, np.concatenate(ids))


def write_formats(folder: Path, title: Title, formats: Sequence[str], day: str) -> None:
    """Write the table of galaxies in other formats, from its Parquet file.

    formats: names of `catalog.paths.RELEASE_FORMATS`; day: ISO date that HATS states.
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
            write_hats(table, out, name=name, created=f"{day}T00:00UTC", builder=builder)


def described(folder: Path, rows: Mapping[str, str]) -> dict[str, Described]:
    """Descriptions of tables by name, from their files; rows: what one row is, by name."""
    found = {}
    for name, row in rows.items():
        file = table_path(folder, name)
        with pq.ParquetFile(file) as table:
            found[name] = Described(row, table.metadata.num_rows, table.schema_arrow)
    return found


def _write_facts(store: Store, contents: Contents, file: Path) -> None:
    """Write the columns of galaxies that belong to no answer or question, a row group per block."""
    best = _counterparts(store, contents)
    ranked = "rank" in contents.every.names
    batches = galaxy_facts(store, contents.min_votes, BLOCK, ranked=ranked)
    kinds = {name: pa.string() for name in ("observed_counterpart", "predicted_counterpart")}
    schema = pa.schema([*batches.schema, *(pa.field(*kind) for kind in kinds.items())])
    with pq.ParquetWriter(file, schema) as writer:
        for batch in batches:
            table = pa.Table.from_batches([batch])
            where = pc.index_in(table["galaxy_id"], best["galaxy_id"])
            for name in kinds:
                table = table.append_column(name, best[name].take(where))
            writer.write_table(table, row_group_size=BLOCK)


def _counterparts(store: Store, contents: Contents) -> pa.Table:
    """Names of the counterparts of the worst galaxies, for the answer that costs most."""
    ids = answers = np.empty(0, np.int64)
    if contents.counterparts:
        ids, answers = worst_answers(store, contents.min_votes, contents.counterparts)
    columns = (
        counterparts_of_many(store, ids, answers, min_votes=contents.min_votes or None)
        if len(ids)
        else (ids, ids)
    )
    named = names_of(store, {number for found in columns for number in found.tolist()})
    names = [
        pa.array([named.get(number) for number in found.tolist()], pa.string()) for found in columns
    ]
    return pa.table(
        {
            "galaxy_id": pa.array(ids, pa.int64()),
            "observed_counterpart": names[0],
            "predicted_counterpart": names[1],
        }
    )


def _make(
    store: Store, runs: Runs, contents: Contents, facts: Path, group: int
) -> tuple[Ids, dict[str, pa.Table]]:
    """The numbers of a block's galaxies that are released, and their rows of all tables."""
    known = pq.ParquetFile(facts).read_row_group(group)
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


def _writers(stack: ExitStack, contents: Contents, folder: Path) -> dict[str, DescribedParquet]:
    """An open Parquet file for each table."""
    if contents.tables:
        (folder / TABLES).mkdir()
    opened = {
        "galaxies": DescribedParquet(galaxies_path(folder), contents.columns, "galaxies", "galaxy")
    }
    for table in contents.tables:
        file = table_path(folder, table.name)
        opened[table.name] = DescribedParquet(file, table.columns, table.name, table.row)
    return {name: stack.enter_context(file) for name, file in opened.items()}


def _sort(store: Store, table: LongTable, file: Path, scratch: Path) -> None:
    """Sort the rows of a whole table, on disk if they do not fit in memory."""
    unsorted = file.replace(scratch / file.name)
    batches = sorted_rows(store, str(unsorted), table.order, _SORTED)
    with DescribedParquet(file, table.columns, table.name, table.row) as writer:
        for batch in batches:
            writer.write(pa.Table.from_batches([batch]).cast(table.columns))
    unsorted.unlink()
