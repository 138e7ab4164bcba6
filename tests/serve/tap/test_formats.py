import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zoolens.catalog.formats.columns import column, meaning
from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.tap.formats import FORMATS, Answer, format_of

SCHEMA = pa.schema(
    [
        column("t", pa.string(), "words"),
        column("d", pa.float64(), "", unit="deg"),
        column("b", pa.binary(), ""),
        column("l", pa.list_(pa.float64()), ""),
    ]
)
ROWS = [
    {"t": 'a "b",\n', "d": 1.5, "b": b"\x01", "l": [1.0, float("nan")]},
    {"t": None, "d": float("inf"), "b": None, "l": None},
    {"t": "", "d": None, "b": b"", "l": []},
]


def _written(name: str, tmp_path: Path, most: int = 10, batches: int = 2) -> bytes:
    batch = pa.RecordBatch.from_pylist(ROWS, schema=SCHEMA)
    answer = Answer(SCHEMA, iter([batch] * batches), most, {})
    return b"".join(format_of(name).write(answer, tmp_path))


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.names[0])
def test_no_more_rows_than_asked_for_and_none_is_no_error(form: object, tmp_path: Path) -> None:
    name = form.names[0]  # type: ignore[attr-defined]
    for most, batches in ((4, 2), (0, 1), (10, 0)):
        assert _written(name, tmp_path, most, batches)
    assert list(tmp_path.iterdir()) == []


def test_csv_has_quotes_where_they_are_needed(tmp_path: Path) -> None:
    assert _written("csv", tmp_path, 3).decode().splitlines()[0] == "t,d,b,l"
    assert _written("csv", tmp_path, 3).decode().endswith('"",,"",""\n')


def test_json_is_an_array_of_objects(tmp_path: Path) -> None:
    found = json.loads(_written("json", tmp_path, 4))
    assert len(found) == 4
    assert found[0] == {"t": 'a "b",\n', "d": 1.5, "b": "01", "l": [1.0, None]}
    assert found[1]["d"] == "inf"
    assert json.loads(_written("json", tmp_path, batches=0)) == []


def test_parquet_says_what_its_columns_hold(tmp_path: Path) -> None:
    table = pq.read_table(io.BytesIO(_written("parquet", tmp_path, 4)))
    assert table.num_rows == 4
    assert meaning(table.schema.field("d")).unit == "deg"


@pytest.mark.parametrize(
    "name",
    ["CSV", "text/csv", 'application/x-votable+xml; serialization="TABLEDATA"', "Votable/TD"],
)
def test_a_format_goes_by_several_names(name: str) -> None:
    assert format_of(name) in FORMATS


def test_a_format_that_is_none_is_said_with_those_there_are() -> None:
    with pytest.raises(AdqlError, match=r"no format xml; there are .*votable"):
        format_of("xml")
