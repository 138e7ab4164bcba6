"""Damage in a HATS catalogue that names and footers do not show."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.made.hats_catalogues import MOST, make, partitions, sky, write
from zoolens.catalog.formats.hats_check import check_hats


@pytest.fixture
def made(tmp_path: Path) -> Path:
    make(write(sky(), tmp_path), tmp_path / "hats", name="galaxies", most_rows=MOST)
    return tmp_path / "hats"


def test_the_check_finds_swapped_partitions(made: Path) -> None:
    # two of as many rows as each other: only the galaxies can tell
    by_rows: dict[int, list[Path]] = {}
    for path in partitions(made):
        by_rows.setdefault(pq.read_metadata(path).num_rows, []).append(path)
    rows, (one, two, *_) = next((n, paths) for n, paths in by_rows.items() if len(paths) > 1)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    found = check_hats(made)
    assert len(found) == 2
    assert all(f"{rows} galaxies lie outside of the pixel" in line for line in found)


def test_the_check_finds_what_was_moved_turned_or_lost(made: Path) -> None:
    moved, turned, short, lost = partitions(made)[:4]
    table = pq.read_table(moved)
    at = table.schema.get_field_index("dec")
    pq.write_table(table.set_column(at, "dec", pa.array([1.0] * len(table))), moved)
    table = pq.read_table(turned)
    pq.write_table(table.take(list(range(len(table)))[::-1]), turned)
    table = pq.read_table(short)
    pq.write_table(table.slice(1), short)
    gone = 1 + pq.read_metadata(lost).num_rows
    lost.unlink()
    found = "\n".join(check_hats(made))
    assert f"{moved.name}: " in found
    assert "have another _healpix_29 than their position gives" in found
    assert f"{turned.name}: {pq.read_metadata(turned).num_rows - 1} rows are not in the" in found
    assert f"{lost.name} of order" in found
    assert f"the partitions have {2000 - gone} rows, the properties 2000" in found
    assert f"the partitions have {2000 - gone} rows, _metadata 2000" in found
    assert len(found.splitlines()) == 5
