"""Names of columns to keep."""

from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.own.asked import asked, check_names, listed

FILE = Path("t.csv")
COLUMNS = ["iauname", "redshift", "Redshift", "select", "a,b", "x=y", "mag r"]


def test_names_are_separated_by_commas_outside_of_quotation_marks() -> None:
    assert listed('z, mag ,"a,b",') == ["z", "mag", "a,b"]
    assert listed("") == []


def test_a_column_keeps_its_name_or_gets_another() -> None:
    names = ["redshift", "z=Redshift", "select", "a,b", "x=y", "my x=x=y"]
    assert asked(FILE, COLUMNS, names) == {
        "redshift": "redshift",
        "z": "Redshift",
        "select": "select",
        "a,b": "a,b",
        "x=y": "x=y",
        "my x": "x=y",
    }


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["redshfit"], "t.csv has no column 'redshfit' to keep; nearest: redshift, Redshift"),
        (["z=redshfit"], "no column 'redshfit'"),
        ([], "name the columns"),
        (["redshift", "Redshift"], "SQL does not tell capitals"),
        (["redshift", "redshift"], "are called 'redshift' and 'redshift'"),
        (["=redshift"], "no name of a column"),
        (["a\x1b=redshift"], "no name of a column"),
        (["a" * 69 + "=redshift"], "no name of a column"),
        (["redshift"] * 201, "too many"),
    ],
)
def test_what_cannot_be_kept_is_told(names: list[str], told: str) -> None:
    with pytest.raises(CatalogError, match=told) as caught:
        asked(FILE, COLUMNS, names)
    assert isinstance(caught.value, UnknownName) == ("no column" in told)


def test_names_that_are_taken_are_refused_with_a_way_out() -> None:
    check_names({"z": "z"}, {"ra"}, ["z"])
    with pytest.raises(CatalogError, match=r"have a column 'ra' already.* my_RA=RA"):
        check_names({"RA": "RA"}, {"ra"}, [])
    with pytest.raises(CatalogError, match=r"has your column 'z'.* write z=redshift"):
        check_names({"Z": "redshift"}, {"ra"}, ["z"])
