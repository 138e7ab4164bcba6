from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from zoolens.catalog.serve.adql.reserved import written
from zoolens.catalog.store.foreign import opened

_MEMORY = 1 << 28


def test_views_macros_tap_schema_and_an_upload_answer(full_gz: Path) -> None:
    with opened(full_gz, memory=_MEMORY, threads=1) as foreign:
        foreign.add_macros()
        foreign.add_tap_schema(written)
        foreign.add_upload("mine", pa.table({"n": [1, 2]}))
        assert foreign.tables[-1].full == "tap_upload.mine"
        sql = """SELECT (SELECT count(*) FROM main.galaxies) AS a,
            (SELECT sum(n) FROM temp.tap_upload_mine) AS b,
            (SELECT count(*) FROM temp.tap_schema_schemas) AS c,
            adql_separation(0, 0, 0, 1) AS d"""
        (row,) = foreign.answer(sql, 10).read_all().to_pylist()
    assert row == {"a": 30, "b": 3, "c": 3, "d": pytest.approx(1.0)}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT getenv('HOME')",
        "COPY (SELECT 1) TO '/tmp/zoolens-never.csv'",
        "SET memory_limit = '100GB'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "ATTACH '/tmp/other.duckdb'",
        "CREATE TABLE main.x (a INTEGER)",
    ],
)
def test_even_what_no_translation_lets_through_can_do_nothing(full_gz: Path, sql: str) -> None:
    with opened(full_gz, memory=_MEMORY, threads=1) as foreign, pytest.raises(duckdb.Error):
        foreign.answer(sql, 10).read_all()
