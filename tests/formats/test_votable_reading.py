from pathlib import Path

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.formats.votable_reading import read_votable


@pytest.mark.parametrize("form", ["tabledata", "binary", "binary2"])
def test_a_table_arrives_with_what_its_columns_hold(tmp_path: Path, form: str) -> None:
    table = Table(
        {
            "n": np.array([1, -2, 3], np.int16),
            "ra": np.array([1.5, np.nan, -2.5]),
            "name": ["a", "é", ""],
            "on": [True, False, True],
            "v": np.arange(6.0).reshape(3, 2),
        }
    )
    table["ra"].unit, table["ra"].description = "deg", "where  it\nis"
    table["ra"].meta["ucd"] = "pos.eq.ra"
    file = tmp_path / "t.vot"
    table.write(file, format="votable", tabledata_format=form)
    found = read_votable(file)
    assert found["n"].to_pylist() == [1, -2, 3]
    assert found["name"].to_pylist()[:2] == ["a", "é"]
    assert found["on"].to_pylist() == [True, False, True]
    assert found["v"].to_pylist()[1] == [2.0, 3.0]
    assert found["ra"].to_pylist()[2] == -2.5
    said = meaning(found.schema.field("ra"))
    assert (said.description, said.unit, said.ucd) == ("where it is", "deg", "pos.eq.ra")


_FOREIGN = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>
<VOTABLE version="1.3"><RESOURCE><TABLE><FIELD name="t" datatype="char" arraysize="*"/>
<DATA><TABLEDATA><TR><TD>&f;</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"""


def test_what_is_missing_is_null(tmp_path: Path) -> None:
    table = Table({"n": MaskedColumn([1, 2], mask=[False, True])})
    table.write(tmp_path / "t.vot", format="votable", tabledata_format="binary2")
    found = read_votable(tmp_path / "t.vot")
    assert found["n"].to_pylist() == [1, None]


@pytest.mark.parametrize(
    "text",
    [
        *("", "a,b\n1,2\n", "<x/>", "<VOTABLE/>"),
        "<VOTABLE><RESOURCE><TABLE/></RESOURCE></VOTABLE>",
        "<VOTABLE version='1.3'><RESOURCE><TABLE><DATA><TABLEDATA><TR><TD>1",
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "t.vot"
    file.write_text(text)
    with pytest.raises(TableRefused):
        read_votable(file)


def test_no_other_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.vot"
    file.write_text(_FOREIGN)
    try:
        found = read_votable(file).to_pylist()
    except TableRefused:
        return
    assert "root" not in str(found)
