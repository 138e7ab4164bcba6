import pytest

from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.adql.translate import translate
from zoolens.catalog.store.published import published

TABLES = published()


def _sql(text: str, rows: int = 100) -> str:
    return translate(text, TABLES, rows).sql


def test_an_answer_is_bound_and_top_within_it_holds() -> None:
    assert _sql("SELECT ra FROM galaxies").endswith("LIMIT 100")
    assert _sql("SELECT TOP 7 ra FROM galaxies").endswith("LIMIT 7")
    assert _sql("SELECT TOP 700 ra FROM galaxies").endswith("LIMIT 100")
    assert _sql("SELECT TOP 7 ra FROM galaxies OFFSET 3").endswith("LIMIT 7 OFFSET 3")
    both = _sql("SELECT TOP 1 ra FROM galaxies UNION ALL SELECT TOP 2 dec FROM galaxies")
    assert both.count("LIMIT 1)") == 1
    assert both.count("LIMIT 2)") == 1


def test_all_names_are_in_quotes_and_of_places_in_the_file() -> None:
    sql = _sql("SELECT ra FROM zoolens.galaxies AS g WHERE g.dec > 3")
    assert sql == (
        'SELECT "ra" AS "ra" FROM "main"."galaxies" AS "g" WHERE "g"."dec" > 3 LIMIT 100'
    )


def test_functions_are_those_of_adql_and_not_of_duckdb() -> None:
    sql = _sql("SELECT LOG(2), LOG10(2), CEILING(1.5), TRUNCATE(1.55, 1), POWER(2, 3), RAND(7)")
    for name in ("LN(2)", "LOG10(2)", "CEIL(1.5)", "TRUNC(1.55, 1)", "POW(2, 3)"):
        assert name in sql.upper()


@pytest.mark.parametrize("bounds", ["TOP -1 ra FROM galaxies", "ra FROM galaxies OFFSET ra"])
def test_bounds_are_whole_numbers(bounds: str) -> None:
    with pytest.raises(AdqlError):
        _sql(f"SELECT {bounds}")


def test_which_tables_are_read_is_known() -> None:
    text = "SELECT * FROM TAP_SCHEMA.tables AS t WHERE t.table_name IN (SELECT label FROM votes)"
    assert translate(text, TABLES, 10).used == {"tap_schema.tables", "zoolens.votes"}
