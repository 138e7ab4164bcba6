from pathlib import Path

import pytest

from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.adql.translate import translate
from zoolens.catalog.store.foreign import opened
from zoolens.catalog.store.published import published


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("POINT('ICRS', 1, 2)", [1.0, 2.0]),
        ("CIRCLE(POINT(1, 2), 3)", [1.0, 2.0, 3.0]),
        ("BOX(10, 20, 2, 4)", [9.0, 18.0, 11.0, 18.0, 11.0, 22.0, 9.0, 22.0]),
        ("POLYGON(POINT(1, 2), POINT(3, 4), POINT(5, 0))", [1.0, 2.0, 3.0, 4.0, 5.0, 0.0]),
        ("COORD1(POINT(1, 2))", 1),
        ("COORD2(CENTROID(CIRCLE(1, 2, 3)))", 2.0),
        ("COORDSYS(POINT(1, 2))", "ICRS"),
        ("AREA(POINT(1, 2))", 0.0),
        ("AREA(CIRCLE(1, 2, 1))", pytest.approx(3.1415129)),
        ("AREA(BOX(0, 0, 1, 1))", pytest.approx(1.0, rel=1e-3)),
        ("DISTANCE(POINT(0, 0), POINT(0, 1))", pytest.approx(1.0)),
        ("DISTANCE(0, 0, 0, 1)", pytest.approx(1.0)),
        ("CONTAINS(POINT(0, 0), CIRCLE(0, 1, 2))", 1),
        ("CONTAINS(POINT(0, 0), CIRCLE(0, 1, 0.5))", 0),
        ("CONTAINS(CIRCLE(0, 0, 1), BOX(0, 0, 4, 4))", 1),
        ("CONTAINS(BOX(0, 0, 1, 1), CIRCLE(0, 0, 1))", 1),
        ("INTERSECTS(CIRCLE(0, 0, 1), POINT(0, 0.5))", 1),
        ("INTERSECTS(BOX(0, 0, 2, 2), CIRCLE(2, 0, 1.5))", 1),
        ("INTERSECTS(CIRCLE(2, 0, 0.5), BOX(0, 0, 2, 2))", 0),
        ("CONTAINS(POINT(NULL, 1), CIRCLE(0, 1, 2))", None),
    ],
)
def test_geometry_is_computed(full_gz: Path, asked: str, answer: object) -> None:
    query = translate(f"SELECT {asked} AS found", published(), 10)
    with opened(full_gz, memory=1 << 28, threads=1) as foreign:
        foreign.add_macros()
        (row,) = foreign.answer(query.sql, 10).read_all().to_pylist()
    assert row["found"] == answer


def test_a_geometry_from_another_query_is_one() -> None:
    text = """SELECT COUNT(*) FROM (SELECT POINT(ra, dec) AS p FROM galaxies) AS g
        WHERE CONTAINS(p, CIRCLE(1, 2, 3)) = 1 AND COORD1(p) > 3"""
    assert "list_extract" in translate(text, published(), 10).sql.lower()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("CONTAINS(ra, CIRCLE(1, 2, 3))", "column 17: a geometry was expected"),
        ("CONTAINS(CIRCLE(1, 2, 3), POINT(1, 2))", "CONTAINS asks what lies in"),
        ("CONTAINS(POINT(1, 2))", "takes two geometries"),
        ("POINT('GALACTIC', 1, 2)", "column 14: positions are ICRS; GALACTIC"),
        ("POINT(1)", "POINT is of ra, dec"),
        ("CIRCLE(1, 2)", "CIRCLE is of ra, dec, radius"),
        ("1, CIRCLE(180, 95, 1)", "column 11: a declination is -90 to 90 degrees, and this one 95"),
        ("CIRCLE(1, 2, -0.5)", "a radius is 0 to 180 degrees, and this one -0.5"),
        ("CONTAINS(POINT(ra, -91), CIRCLE(1, 2, 3))", "column 17: a declination is"),
        ("POLYGON(1, 2, 3, 4, 5, 2 * 46)", "a declination is .* this one 92"),
        ("BOX(1, 2, -3, 4)", "a width or height is 0 to 360 degrees, and this one -3"),
        ("DISTANCE(0, 0, 0, 91)", "a declination is"),
        ("POLYGON(1, 2, 3, 4)", "three positions or more"),
        ("DISTANCE(POINT(1, 2), CIRCLE(1, 2, 3))", "between two points"),
        ("DISTANCE(1, 2, 3)", "two points, or four numbers"),
        ("AREA(1, 2)", "AREA takes one geometry"),
        ("COORD1(CIRCLE(1, 2, 3))", "COORD1 is of a POINT"),
    ],
)
def test_what_is_no_geometry_is_refused(asked: str, said: str) -> None:
    with pytest.raises(AdqlError, match=said):
        translate(f"SELECT {asked} FROM galaxies", published(), 10)
