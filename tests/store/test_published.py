from zoolens.catalog.serve.adql.reserved import written
from zoolens.catalog.store.own_columns import OwnColumn
from zoolens.catalog.store.published import VOTABLE, keys, published, tap_schema
from zoolens.catalog.store.views import VIEWS


def test_every_view_is_a_table_and_every_view_of_runs_a_second_one() -> None:
    names = {table.full for table in published()}
    assert names > {f"zoolens.{view.name}" for view in VIEWS}
    assert {name for name in names if name.startswith("history.")} == {
        f"history.{view.name}" for view in VIEWS if view.job
    }


def test_tap_schema_describes_all_tables_and_columns_and_itself() -> None:
    own = [OwnColumn("z r", "DOUBLE", 1, "km/s", "src.redshift", "how far")]
    tables = published(own)
    schema = tap_schema(tables, written)
    described = {row["table_name"] for row in schema["tap_schema_tables"].to_pylist()}
    assert described == {table.full for table in tables}
    assert "tap_schema.key_columns" in described
    columns = schema["tap_schema_columns"].to_pylist()
    assert len(columns) == sum(len(table.columns) for table in tables)
    (mine,) = [c for c in columns if c["column_name"] == '"z r"']
    assert mine["table_name"] == "zoolens.own"
    assert (mine["unit"], mine["ucd"], mine["datatype"]) == ("km/s", "src.redshift", "double")
    assert '"count"' in {c["column_name"] for c in columns}


def test_every_type_of_a_column_has_one_in_votable() -> None:
    assert {c.type for table in published() for c in table.columns} <= VOTABLE.keys()


def test_keys_lead_to_tables_and_columns_that_are_there() -> None:
    tables = published()
    columns = {table.full: {c.name for c in table.columns} for table in tables}
    found = keys(tables)
    assert all(key.target_column in columns[key.target] for key in found)
    assert all(key.column in columns[key.table.full] for key in found)
    assert all(key.table.full != key.target for key in found)
