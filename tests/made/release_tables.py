"""Tables as releases write them, with all that is awkward, and STILTS to read them back."""

import csv
import io
import math
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoolens.catalog.formats.columns import column

STILTS = Path("/usr/bin/stilts")
needs_stilts = pytest.mark.skipif(not STILTS.is_file(), reason="STILTS is not installed here")

LONG = "smooth-or-featured_featured-or-disk_fraction"
INF, NAN = math.inf, math.nan

FIELDS = [
    column("name", pa.string(), "the galaxy", ucd="meta.id;meta.main"),
    column("ra", pa.float64(), "right ascension, ICRS", unit="deg", ucd="pos.eq.ra;meta.main"),
    column("dec", pa.float64(), "declination, ICRS", unit="deg", ucd="pos.eq.dec;meta.main"),
    column(
        LONG,
        pa.float32(),
        "the fraction of those who saw the galaxy and were asked whether it is smooth, featured"
        " or a star & said 'featured', corrected for redshift where < 1; NULL where nobody was",
    ),
    column("other-name", pa.string(), 'Éric’s "name"'),
    column("letter", pa.string(), "never more than one"),
    column("nothing", pa.string(), "always NULL"),
    column("petro_th50", pa.float32(), "radius", unit="arcsec", ucd="phys.angSize"),
    column("votes", pa.int32(), "votes", ucd="meta.number"),
    column("objid", pa.int64(), "no NULL here", ucd="meta.id"),
    column("run", pa.int64(), ""),
    column("spiral", pa.bool_(), "whether it is one"),
    column("whole", pa.bool_(), "no NULL here"),
]
VALUES: list[list[Any]] = [
    ["J000000", "", "J\\x41", None, "J,4"],
    [0.0, 359.99999999999994, 1 / 3, 180.0, 12.5],
    [-90.0, 90.0, -1e-300, 0.1 + 0.2, 5.0],
    [0.1, NAN, None, INF, 1.0],
    ["Éé 𝒳", "NGC 1", None, "", 'say "so"'],
    ["a", None, "", "b", "c"],
    [None] * 5,
    [1e-38, -INF, None, 3.4e38, 0.0],
    [1, None, -(2**31), 2**31 - 2, 0],
    [2**53 + 1, -(2**63), 2**63 - 1, 0, 1],
    [None, 2**62 + 1, -5, 0, None],
    [True, False, None, True, False],
    [True, False, True, True, False],
]


def awkward(rows: int = 5) -> pa.Table:
    """Five rows of everything, again and again up to `rows`."""
    arrays = [
        pa.array([values[i % 5] for i in range(rows)], field.type)
        for values, field in zip(VALUES, FIELDS, strict=True)
    ]
    return pa.table(arrays, schema=pa.schema(FIELDS))


def write(table: pa.Table, path: Path) -> Path:
    """A Parquet file of several row groups."""
    pq.write_table(table, path, compression="zstd", row_group_size=3)
    return path


def stilts(path: Path, *commands: str) -> list[dict[str, str]]:
    """The rows that STILTS reads from a file, as it writes them to CSV."""
    words = [f"cmd={command}" for command in commands]
    done = subprocess.run(
        [STILTS, "tpipe", f"in={path}", *words, "ofmt=csv"],
        capture_output=True,
        text=True,
        check=True,
    )
    return list(csv.DictReader(io.StringIO(done.stdout)))


def as_stilts_says(value: Any, kind: pa.DataType) -> str:
    """A value as in STILTS's CSV, where NULL, NaN and empty text are empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(value)


def assert_stilts_reads(path: Path, table: pa.Table, text: Any = str) -> None:
    """That STILTS reads from `path` what `table` holds; `text` tells how text is kept."""
    rows = stilts(path)
    assert len(rows) == len(table)
    for field in table.schema:
        cells = [row[field.name] for row in rows]
        values = table[field.name].to_pylist()
        if pa.types.is_floating(field.type):
            # numbers are written in another way, but as exactly
            number = float if field.type == pa.float64() else _single
            assert [_or_none(cell, number) for cell in cells] == [
                None if value is None or math.isnan(value) else value for value in values
            ]
        elif pa.types.is_string(field.type):
            assert cells == [text(value) if value else "" for value in values]
        else:
            assert cells == [as_stilts_says(value, field.type) for value in values]


def _or_none(cell: str, number: Any) -> float | None:
    return number(cell) if cell else None


def _single(cell: str) -> float:
    return float(pa.scalar(float(cell), pa.float32()).as_py())
