"""Galaxies all over the sky, and the HATS catalogue that is written of them."""

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.made.release_tables import awkward
from zoolens.catalog.formats.hats import write_hats

MOST = 150  # rows of a partition
make = partial(write_hats, created="2025-01-01T00:00UTC", builder="Zoolens")


def sky(rows: int = 2000) -> pa.Table:
    """Galaxies all over the sky, and some at its poles and where right ascension wraps."""
    random = np.random.default_rng(7)
    ra = random.uniform(0, 360, rows)
    dec = np.degrees(np.arcsin(random.uniform(-1, 1, rows)))
    ra[:8] = [0, 360, 359.9999, 0.0001, 0, 180, 360, 0][:rows]
    dec[:8] = [0, 0, 0.0001, -0.0001, 90, 90, -90, -90][:rows]
    table = awkward(rows)
    names = pa.array([f"J{i}" for i in range(rows)])
    for name, values in (("name", names), ("ra", pa.array(ra)), ("dec", pa.array(dec))):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(name), values)
    return table


def write(table: pa.Table, folder: Path) -> Path:
    pq.write_table(table, folder / "source.parquet", compression="zstd", row_group_size=300)
    return folder / "source.parquet"


def partitions(folder: Path) -> list[Path]:
    return sorted(folder.rglob("Npix=*.parquet"))
