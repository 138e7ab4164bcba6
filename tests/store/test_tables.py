"""Tables as Arrow, against what DuckDB makes of them."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from tests.made.catalogues import blank
from zoolens.catalog.store.declaring import statistics
from zoolens.catalog.store.dictionary import MAP_STATISTICS
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema, checked, metadata

FILLED = [name for name, table in metadata.tables.items() if "run_id" in table.c]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = blank(tmp_path_factory.mktemp("tables") / "gz.duckdb")
    with Store.open(path, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("name", metadata.tables)
def test_the_schema_is_duckdbs_own(store: Store, name: str) -> None:
    own = store.arrow(f'FROM "{name}"').schema
    expected = [(field.name, field.type) for field in own if field.name != "run_id"]
    assert [(field.name, field.type) for field in arrow_schema(name)] == expected


def test_no_other_table_is_there(store: Store) -> None:
    tables = {name for (name,) in store.rows("SELECT table_name FROM duckdb_tables()")}
    assert tables == {*metadata.tables, "alembic_version"}


@pytest.mark.parametrize("name", FILLED)
def test_null_is_refused_where_the_table_refuses_it(store: Store, name: str) -> None:
    described = store.rows(f'DESCRIBE "{name}"')
    required = {row[0] for row in described if row[2] == "NO"} - {"run_id"}
    whole = arrow_schema(name).empty_table()
    assert checked(name, whole) is whole
    for column in whole.column_names:
        rows = whole.drop_columns([column])
        if column in required:
            with pytest.raises(ValueError, match=f"rows of {name} have the columns"):
                checked(name, rows)
        else:
            assert checked(name, rows) is rows


def test_columns_may_stand_in_any_order_but_are_those_of_the_table() -> None:
    rows = arrow_schema("vote").empty_table()
    turned = rows.select(rows.column_names[::-1])
    assert checked("vote", turned) is turned
    with pytest.raises(ValueError, match="'more'"):
        checked("vote", rows.append_column("more", pa.array([], pa.int32())))
    with pytest.raises(ValueError, match="int64"):
        checked("vote", rows.set_column(1, "answer_id", pa.array([], pa.int64())))


def test_the_views_have_every_statistic_of_a_map() -> None:
    assert [column.name for column in statistics()] == list(MAP_STATISTICS)
