"""Tables of one's own columns: looked through, defined, read in blocks."""

from pathlib import Path

import pytest

from tests.made.own_tables import own_table
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.own.reading import OwnTable, defined
from zoolens.catalog.store.own_columns import OwnColumn


def test_types_and_doubles_are_found_over_all_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.catalog.formats.csv._BYTES", 64)
    path = tmp_path / "t.csv"
    rows = [f"G{i},{i},{i}" for i in range(20)] + ["G3,0.5,1", ",1,1", ",2,2", "G4,1,x,9"]
    path.write_text("id,a,b\n" + "\n".join(rows) + "\n")
    table = OwnTable(path, ["a", "b"], None)
    survey = table.survey({})
    assert survey.types == {"a": "DOUBLE", "b": "BIGINT"}
    assert survey.repeated == {21: 4}
    assert survey.ragged == {24: "4 fields, not 3"}
    columns = defined(table, survey, [])
    found = [*table.blocks(survey)]
    assert len(found) > 1
    values = [v for rows in found for v in table.values(rows, columns)["a"].to_pylist()]
    assert values == [*map(float, range(20)), 0.5, 1.0, 2.0]
    refused = [reject.reason.split(":")[0] for rows in found for reject in rows.rejects]
    assert sorted(refused) == ["duplicated identifier", *["missing identifier"] * 2]


def test_places_follow_those_of_the_catalogue(tmp_path: Path) -> None:
    path = own_table(tmp_path / "t.parquet", {"id": ["a"], "z": [0.1], "n": [1], "t": ["b"]})
    held = [OwnColumn("z", "FLOAT", 1, "km/s", "", "said"), OwnColumn("w", "DOUBLE", 2, "", "", "")]
    table = OwnTable(path, ["z", "y=z", "x=z", "n", "t"], "id")
    assert defined(table, table.survey({}), held) == [
        OwnColumn("z", "DOUBLE", 1, "km/s", "", "said"),
        OwnColumn("y", "DOUBLE", 3, "", "", "z of t.parquet"),
        OwnColumn("x", "DOUBLE", 4, "", "", "z of t.parquet"),
        OwnColumn("n", "BIGINT", 1, "", "", "n of t.parquet"),
        OwnColumn("t", "VARCHAR", 1, "", "", "t of t.parquet"),
    ]


def test_identifiers_in_floating_point_are_refused(tmp_path: Path) -> None:
    names = [float(587722981741363323 + 1000 * i) for i in range(20)]
    path = own_table(tmp_path / "t.parquet", {"objid": names, "z": [0.1] * 20})
    with pytest.raises(TableRefused, match="floating point"):
        OwnTable(path, ["z"], "objid")
    rounded = own_table(tmp_path / "t.csv", {"objid": [int(n) for n in names], "z": [0.1] * 20})
    table = OwnTable(rounded, ["z"], "objid")
    with pytest.raises(TableRefused, match="floating point"):
        table.survey({})


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,z\n")
    with pytest.raises(TableRefused, match="no row of that length"):
        OwnTable(path, ["z"], "id").survey({})


def test_identifiers_of_several_columns(tmp_path: Path) -> None:
    path = own_table(tmp_path / "t.csv", {"tile": [1, 2], "object": [5, 5], "z": [0.1, 0.2]})
    table = OwnTable(path, ["z", "tile"], "tile,object")
    survey = table.survey({})
    assert survey.names.to_pylist() == ["1_5", "2_5"]
    assert [rows.names for rows in table.blocks(survey)] == [["1_5", "2_5"]]
