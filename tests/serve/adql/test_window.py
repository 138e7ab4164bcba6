"""A window lets through all that is within the radius: beside every position on the sky."""

import duckdb
import pytest

from zoolens.catalog.serve.adql.translate import translate
from zoolens.catalog.store.published import published
from zoolens.catalog.store.sphere import MACROS


@pytest.fixture(scope="module")
def sky() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for macro in MACROS:
        connection.execute(macro)
    connection.execute("SELECT setseed(0.5)")
    connection.execute("""CREATE TABLE main.galaxies AS SELECT random() * 360 AS ra,
        degrees(asin(2 * random() - 1)) AS dec FROM range(30000)
        UNION ALL SELECT unnest([0.0, 360.0, 0.0, 180.0]), unnest([0.0, 0.0, 90.0, -90.0])
        UNION ALL SELECT NULL, NULL""")
    return connection


def _count(sky: duckdb.DuckDBPyConnection, condition: str) -> tuple[int, str]:
    text = f"SELECT COUNT(*) FROM galaxies WHERE {condition}"
    sql = translate(text, published(), 10).sql
    row = sky.execute(sql).fetchone()
    assert row is not None
    return row[0], sql


@pytest.mark.parametrize("radius", [0.0, 0.7, 12.0, 89.0, 91.0, 180.0])
@pytest.mark.parametrize(
    ("lon", "lat"),
    [(0, 0), (359.9, 10), (0.3, -60), (180, 0), (200, 85), (10, 90), (10, -90), (-5, 3), (725, 3)],
)
def test_a_cone_with_a_window_has_what_it_has_without(
    sky: duckdb.DuckDBPyConnection, lon: float, lat: float, radius: float
) -> None:
    found, sql = _count(sky, f"1 = CONTAINS(POINT(ra, dec), CIRCLE({lon}, {lat}, {radius}))")
    plain = (
        f"SELECT count(*) FROM galaxies WHERE adql_separation(ra, dec, {lon}, {lat}) <= {radius}"
    )
    assert (found,) == sky.execute(plain).fetchone()
    assert "BETWEEN" in sql
    near, _ = _count(sky, f"DISTANCE(POINT({lon}, {lat}), POINT(ra, dec)) <= {radius}")
    assert near == found


@pytest.mark.parametrize(
    "corners",
    ["350, -5, 15, -8, 5, 20", "0, 70, 120, 75, 240, 80", "100, 10, 110, 10, 105, 30"],
)
def test_a_polygon_too(sky: duckdb.DuckDBPyConnection, corners: str) -> None:
    found, sql = _count(sky, f"CONTAINS(POINT(ra, dec), POLYGON({corners})) = 1")
    numbers = [float(c) for c in corners.split(",")]
    plain = f"SELECT count(*) FROM galaxies WHERE adql_point_in_polygon([ra, dec], {numbers})"
    assert (found,) == sky.execute(plain).fetchone()
    assert found
    assert "BETWEEN" in sql


def test_pairs_of_two_tables_are_joined_by_declination(sky: duckdb.DuckDBPyConnection) -> None:
    few = "(SELECT TOP 60 ra, dec FROM galaxies ORDER BY ra)"
    text = f"""SELECT COUNT(*) FROM {few} AS a JOIN galaxies AS b
        ON 1 = CONTAINS(POINT(b.ra, b.dec), CIRCLE(a.ra, a.dec, 2))"""
    sql = translate(text, published(), 10).sql
    plain = """SELECT count(*) FROM (SELECT ra, dec FROM galaxies ORDER BY ra LIMIT 60) a,
        galaxies b WHERE adql_separation(b.ra, b.dec, a.ra, a.dec) <= 2"""
    found = sky.execute(sql).fetchone()
    assert found == sky.execute(plain).fetchone()
    assert found is not None
    assert found[0] > 60
