"""Against geometry by other means: gnomonic maps, where great circles are straight, and samples."""

import duckdb
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from matplotlib.path import Path as Outline

from zoolens.catalog.store.sphere import MACROS

_SQUARE = "[0.0, 0.0, 10.0, 0.0, 10.0, 10.0, 0.0, 10.0]"


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for macro in MACROS:
        connection.execute(macro)
    return connection


def _value(db: duckdb.DuckDBPyConnection, sql: str) -> object:
    row = db.execute(f"SELECT {sql}").fetchone()
    assert row is not None
    return row[0]


def _gnomonic(lon: np.ndarray, lat: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    """Positions (N,) on the plane that touches the sphere at a centre, (N, 2)."""
    lon, lat = np.radians(lon - centre[0]), np.radians(lat)
    at = np.radians(centre[1])
    cos = np.sin(at) * np.sin(lat) + np.cos(at) * np.cos(lat) * np.cos(lon)
    x = np.cos(lat) * np.sin(lon) / cos
    y = (np.cos(at) * np.sin(lat) - np.sin(at) * np.cos(lat) * np.cos(lon)) / cos
    return np.where((cos > 0)[:, None], np.stack([x, y], 1), np.inf)


def _everywhere(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(random.uniform(-1, 1, count)))
    return random.uniform(0, 360, count), lat


def test_distances_are_those_of_astropy(db: duckdb.DuckDBPyConnection) -> None:
    lon, lat = _everywhere(200)
    to_lon, to_lat = _everywhere(200, seed=1)
    near = slice(0, 50)  # a milliarcsecond apart, and antipodes
    to_lon[near], to_lat[near] = lon[near] + 3e-7, lat[near]
    to_lon[50:60], to_lat[50:60] = lon[50:60] + 180, -lat[50:60]
    sql = """SELECT adql_separation(a, b, c, d)
        FROM (SELECT unnest(?) a, unnest(?) b, unnest(?) c, unnest(?) d)"""
    given = [lon.tolist(), lat.tolist(), to_lon.tolist(), to_lat.tolist()]
    found = np.array(db.execute(sql, given).fetchall())[:, 0]
    there = SkyCoord(to_lon, to_lat, unit="deg")
    np.testing.assert_allclose(
        found, SkyCoord(lon, lat, unit="deg").separation(there).deg, rtol=1e-7, atol=1e-12
    )


@pytest.mark.parametrize(
    ("corners", "centre"),
    [
        ([0, 0, 10, 0, 10, 10, 0, 10], (5, 5)),
        ([0, 10, 10, 10, 10, 0, 0, 0], (5, 5)),  # the other way round
        ([350, -5, 15, -8, 5, 20], (3, 2)),  # over 0
        ([0, 70, 120, 75, 240, 80], (0, 90)),  # around a pole
        ([180, -60, 200, -60, 200, -40, 190, -55, 180, -40], (190, -52)),  # not convex
    ],
)
def test_what_is_in_a_polygon(
    db: duckdb.DuckDBPyConnection, corners: list[float], centre: tuple[float, float]
) -> None:
    lon, lat = _everywhere(4000)
    outline = Outline(_gnomonic(np.array(corners[::2]), np.array(corners[1::2]), centre))
    wanted = outline.contains_points(_gnomonic(lon, lat, centre))
    sql = f"""SELECT adql_point_in_polygon([a, b], {[float(c) for c in corners]})
        FROM (SELECT unnest(?) a, unnest(?) b)"""
    found = np.array(db.execute(sql, [lon.tolist(), lat.tolist()]).fetchall())[:, 0]
    assert 0 < wanted.sum() < len(wanted)
    np.testing.assert_array_equal(found, wanted)


def test_areas_and_centroids_are_those_of_samples(db: duckdb.DuckDBPyConnection) -> None:
    lon, lat = _everywhere(500_000)
    centre = (5.0, 5.0)
    outline = Outline(_gnomonic(np.array([0.0, 40, 40, 0]), np.array([0.0, 0, 40, 30]), centre))
    within = outline.contains_points(_gnomonic(lon, lat, centre))
    polygon = "[0.0, 0.0, 40.0, 0.0, 40.0, 40.0, 0.0, 30.0]"
    area = _value(db, f"adql_area_of_polygon({polygon})")
    assert area == pytest.approx(within.mean() * 129600 / np.pi, rel=0.01)
    x, y, z = (
        np.cos(np.radians(lat[within])) * np.cos(np.radians(lon[within])),
        np.cos(np.radians(lat[within])) * np.sin(np.radians(lon[within])),
        np.sin(np.radians(lat[within])),
    )
    mean = [
        np.degrees(np.arctan2(y.mean(), x.mean())),
        np.degrees(np.arctan2(z.mean(), np.hypot(x.mean(), y.mean()))),
    ]
    assert _value(db, f"adql_centroid_of_polygon({polygon})") == pytest.approx(mean, abs=0.1)
    assert _value(db, "adql_area_of_circle([0, 0, 90])") == pytest.approx(2 * np.pi * 3282.80635)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("point_in_circle([1.0, 1.0], [1.0, 2.0, 1.0])", True),
        ("point_in_circle([1.0, 0.9], [1.0, 2.0, 1.0])", False),
        ("circle_in_circle([1.0, 2.0, 0.5], [1.0, 2.3, 1.0])", True),
        ("circle_in_circle([1.0, 2.0, 0.5], [1.0, 2.6, 1.0])", False),
        ("circle_meets_circle([1.0, 2.0, 0.5], [1.0, 3.4, 1.0])", True),
        ("circle_meets_circle([1.0, 2.0, 0.5], [1.0, 3.6, 1.0])", False),
        (f"circle_in_polygon([5.0, 5.0, 4.9], {_SQUARE})", True),
        (f"circle_in_polygon([5.0, 5.0, 5.1], {_SQUARE})", False),
        (f"circle_in_polygon([15.0, 5.0, 1.0], {_SQUARE})", False),
        (f"circle_meets_polygon([12.0, 5.0, 2.1], {_SQUARE})", True),
        (f"circle_meets_polygon([12.0, 5.0, 1.9], {_SQUARE})", False),
        (f"circle_meets_polygon([11.0, 11.0, 1.3], {_SQUARE})", False),  # past the corner
        (f"circle_meets_polygon([11.0, 11.0, 1.5], {_SQUARE})", True),
        (f"polygon_in_circle({_SQUARE}, [5.0, 5.0, 7.2])", True),
        (f"polygon_in_circle({_SQUARE}, [5.0, 5.0, 6.9])", False),
        (f"polygon_in_polygon(adql_box(5, 5, 2, 2), {_SQUARE})", True),
        (f"polygon_in_polygon(adql_box(9, 9, 3, 3), {_SQUARE})", False),
        (f"polygon_meets_polygon(adql_box(11, 5, 3, 3), {_SQUARE})", True),
        (f"polygon_meets_polygon(adql_box(12, 5, 3, 3), {_SQUARE})", False),
        (f"polygon_meets_polygon(adql_box(5, 5, 40, 1), {_SQUARE})", True),  # through it
        (f"polygon_meets_polygon({_SQUARE}, adql_box(5, 5, 1, 1))", True),  # around it
    ],
)
def test_what_lies_in_and_meets_what(
    db: duckdb.DuckDBPyConnection, asked: str, answer: bool
) -> None:
    assert _value(db, f"adql_{asked}") is answer


def test_where_a_position_is_missing_nothing_is_known(db: duckdb.DuckDBPyConnection) -> None:
    assert _value(db, "adql_separation(NULL, 1, 2, 3)") is None
    assert _value(db, f"adql_point_in_polygon([NULL, 1.0], {_SQUARE})") is None
