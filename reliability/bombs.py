"""Small files that unpack to very much: they are refused, or read in bounded memory."""

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from reliability.cases import Case, Job, Outcome, Verdict
from reliability.mutations import Spoilt
from reliability.tables import FORMATS, vote_rows
from reliability.world import World
from tests.made.catalogues import blank

_AT_ONCE = 2**20  # rows or bytes written at a time
_COLUMNS = 8  # of a table of very many rows: its name, and one question


def _equal_rows(path: Path, rows: int) -> None:
    """A Parquet file of so many rows, all the same: some hundred kilobytes."""
    from pyarrow import parquet

    found, cells = vote_rows()
    one = {name: pa.repeat(cells[0][i], _AT_ONCE) for i, name in enumerate(found[:_COLUMNS])}
    table = pa.table(one)
    with parquet.ParquetWriter(path, table.schema) as writer:
        for _ in range(max(1, rows // _AT_ONCE)):
            writer.write_table(table)


def _zeros(path: Path, size: int) -> None:
    """A gzipped table followed by so many bytes of zeros."""
    suffix = path.name.removeprefix("votes.").removesuffix(".gz")
    with gzip.open(path, "wb", 1) as file:
        file.write(FORMATS[suffix](Spoilt(*vote_rows(), set(), "")))
        for _ in range(size // _AT_ONCE):
            file.write(bytes(_AT_ONCE))


def _long_cell(path: Path, size: int) -> None:
    """A CSV file whose last row is one cell of so many letters."""
    path.write_bytes(FORMATS["csv"](Spoilt(*vote_rows(), set(), "")) + b"x" * size + b"\n")


_WAYS: Mapping[str, tuple[Callable[[Path, int], None], tuple[int, ...]]] = {
    "votes.parquet": (_equal_rows, (10**6, 10**7, 3 * 10**7)),
    "votes.csv.gz": (_zeros, (2**26, 2**29, 2**31)),
    "votes.fits.gz": (_zeros, (2**26, 2**29, 2**31)),
    "votes.csv": (_long_cell, (10**6, 10**7, 10**8)),
}


def _bomb(case: Case, _: World, folder: Path) -> Verdict:
    from zoolens.jobs.ingest import ingest

    name = case.random.choice([*_WAYS])
    make, sizes = _WAYS[name]
    size = case.random.choice(sizes)
    make(folder / name, size)
    ingest(blank(folder / "gz.duckdb"), folder / name)
    return Verdict(Outcome.HELD, f"{name} of {size:,}")


JOBS: dict[str, Job] = {"votes, bombs": Job(_bomb, share=0.08)}
