"""What a footer declares is what pyarrow says, and damage is an error, whatever was damaged."""

import os
import random
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from zoolens.catalog.formats import parquet_footer
from zoolens.catalog.formats.parquet_footer import row_groups


@pytest.fixture
def path(tmp_path: Path) -> Path:
    table = pa.table(
        {
            "iauname": [f"J{i}" for i in range(70)],
            "flag": [True, False] * 35,
            "image": [{"bytes": bytes(i), "path": "x"} for i in range(70)],
            "samples": [[0.5] * (i % 4) for i in range(70)],
        }
    )
    parquet.write_table(table, tmp_path / "t.parquet", row_group_size=30)
    return tmp_path / "t.parquet"


def test_it_is_what_pyarrow_says(path: Path) -> None:
    found, told = row_groups(path), parquet.read_metadata(path)
    assert [group.rows for group in found] == [30, 30, 10]
    for number, group in enumerate(found):
        columns = [told.row_group(number).column(i) for i in range(told.num_columns)]
        assert group.chunks == [
            (chunk.path_in_schema, chunk.num_values, chunk.total_uncompressed_size)
            for chunk in columns
        ]


@pytest.mark.slow
def test_damage_is_an_error(path: Path) -> None:
    whole, lucky = path.read_bytes(), random.Random(0)
    start = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for data in (b"", b"PAR1", whole[:-1], whole[: len(whole) // 2], bytes(100) + b"PAR1"):
        path.write_bytes(data)
        with pytest.raises(OSError, match="footer"):
            row_groups(path)
    refused = 0
    for _ in range(2000):
        flipped = bytearray(whole)
        flipped[lucky.randrange(start, len(flipped))] ^= 1 << lucky.randrange(8)
        path.write_bytes(flipped)
        try:
            row_groups(path)
        except OSError:
            refused += 1
    assert refused > 200


def test_structs_without_end_are_refused(path: Path) -> None:
    deep = b"\x1c" * 100_000
    path.write_bytes(b"PAR1" + deep + len(deep).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(OSError, match="nested too deep"):
        row_groups(path)


def test_it_is_read_once_for_many_columns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = row_groups(path)
    monkeypatch.setattr(parquet_footer, "_Reader", None)
    assert row_groups(path) == told


def test_a_file_that_changed_is_read_again(path: Path) -> None:
    row_groups(path)
    facts = path.stat()
    parquet.write_table(pa.table({"iauname": ["J1"]}), path)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert [group.rows for group in row_groups(path)] == [1]
