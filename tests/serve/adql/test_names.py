import pytest

from zoolens.catalog.serve.adql.names import Names
from zoolens.catalog.serve.adql.parsing import AdqlError, parse
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.published import published

TABLES = published()


def _columns(text: str) -> list[Column]:
    return Names(text, TABLES).resolve(parse(text))


def _names(text: str) -> list[str]:
    return [column.name for column in _columns(text)]


def test_columns_keep_what_they_hold_through_queries() -> None:
    text = """WITH near AS (SELECT ra, dec AS d FROM galaxies)
        SELECT RA AS alpha, t.e, AVG(e) FROM (SELECT ra, d FROM near) AS t (ra, e)"""
    alpha, e, mean = _columns(text)
    assert (alpha.name, alpha.unit, alpha.ucd) == ("alpha", "deg", "pos.eq.ra;meta.main")
    assert (e.name, e.unit) == ("e", "deg")
    assert (mean.name, mean.unit) == ("avg", "deg")


def test_every_column_of_an_answer_has_a_name_of_its_own() -> None:
    assert _names("SELECT a.galaxy_id, b.galaxy_id FROM galaxies a, votes b") == [
        "galaxy_id",
        "galaxy_id_1",
    ]
    assert _names("SELECT 1, 2, COUNT(*), COUNT(*) FROM galaxies") == [
        *("col1", "col2", "count", "count_1")
    ]


def test_a_star_is_written_out_and_what_is_joined_by_stands_once() -> None:
    every = _names("SELECT * FROM galaxies JOIN votes USING (galaxy_id)")
    assert every.count("galaxy_id") == 1
    assert "iauname_1" in every
    natural = _names("SELECT * FROM galaxies NATURAL JOIN votes")
    assert "iauname_1" not in natural
    assert _names("SELECT v.* FROM galaxies g, votes v") == [
        c.name for t in TABLES if t.full == "zoolens.votes" for c in t.columns
    ]


def test_names_are_found_whatever_their_case_and_in_queries_around() -> None:
    text = """SELECT G.IAUNAME FROM Zoolens.Galaxies AS g WHERE EXISTS
        (SELECT 1 FROM "votes" AS v WHERE v.galaxy_id = g.galaxy_id AND "count" > 3)"""
    assert _names(text) == ["iauname"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "SELECT ra FROM galaxie",
            "column 16: no table galaxie; nearest: zoolens.galaxies",
        ),
        ("SELECT ra\nFROM main.galaxy", "line 2, column 6: no table main.galaxy"),
        ("SELECT ra FROM temp.tap_schema_tables", "no table temp.tap_schema_tables"),
        ("SELECT raa FROM galaxies", "column 8: no column raa; nearest: ra"),
        ("SELECT g.raa FROM galaxies g", "column 8: no column g.raa|column 10: no column g.raa"),
        ("SELECT h.ra FROM galaxies g", "no table h after FROM; there: g"),
        ("SELECT other.galaxies.ra FROM galaxies", "no table other.galaxies"),
        ("SELECT iauname FROM galaxies g, votes v", "could be of g or v; write g.iauname"),
        ("SELECT g.ra FROM galaxies g, votes g", "g is there twice"),
        ("SELECT ra FROM galaxies WHERE alpha = 1", "no column alpha"),
        ("SELECT ra AS alpha FROM galaxies WHERE alpha = 1", "no column alpha"),
        ("SELECT 1 UNION SELECT 2, 3", "UNION of 1 columns and 2"),
        ("SELECT * ", "nothing after FROM"),
        ("SELECT a", "nothing after FROM"),
    ],
)
def test_a_name_that_is_not_there_is_said_with_the_nearest(text: str, said: str) -> None:
    with pytest.raises(AdqlError, match=said):
        _columns(text)


def test_an_alias_of_the_answer_can_be_ordered_and_grouped_by() -> None:
    assert _names("SELECT ra AS alpha FROM galaxies ORDER BY alpha") == ["alpha"]
