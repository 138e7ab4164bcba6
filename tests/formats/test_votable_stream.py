import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from astropy.io.votable import parse
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.formats.columns import column
from zoolens.catalog.formats.votable_stream import VOTableStream, error_document

_POINT = column("p", pa.list_(pa.float64()), "").with_metadata({b"xtype": b"point"})
_WHEN = column("when", pa.string(), "").with_metadata({b"xtype": b"timestamp"})
SCHEMA = pa.schema(
    [
        column("ra", pa.float64(), 'right <ascension> & "so"', unit="deg", ucd="pos.eq.ra"),
        column("b", pa.bool_(), ""),
        column("i", pa.int32(), ""),
        column("l", pa.int64(), ""),
        column("f", pa.float32(), ""),
        column("t", pa.string(), ""),
        column("x", pa.binary(), ""),
        column("v", pa.list_(pa.float64()), ""),
        _POINT,
        _WHEN,
    ]
)
ROWS: list[dict[str, Any]] = [
    {
        "ra": 1.5,
        "b": True,
        "i": 1,
        "l": 2**60,
        "f": 0.5,
        "t": "a<b & ]]> é 😀",
        "x": b"\0\xff",
        "v": [1.0, 2.0],
        "p": [3.0, 4.0],
        "when": "2026-01-01T00:00:00",
    },
    dict.fromkeys(SCHEMA.names),
    {
        "ra": float("inf"),
        "b": False,
        "i": -1,
        "l": -(2**60),
        "f": -1.5,
        "t": "",
        "x": b"",
        "v": [],
        "p": [5.0, 6.0],
        "when": "",
    },
]


def _document(batches: list[pa.RecordBatch], schema: pa.Schema, **options: Any) -> bytes:
    overflow = options.pop("overflow", False)
    stream = VOTableStream(schema, infos={"QUERY": "SELECT 1 < 2"}, **options)
    return stream.head() + b"".join(map(stream.rows, batches)) + stream.tail(overflow=overflow)


def _read(document: bytes) -> Table:
    return parse(io.BytesIO(document), verify="exception").get_first_table().to_table()


@pytest.mark.parametrize("binary", [True, False])
def test_astropy_reads_what_was_written(binary: bool) -> None:
    batch = pa.RecordBatch.from_pylist(ROWS, schema=SCHEMA)
    found = _read(_document([batch, batch.slice(1), batch.slice(0, 0)], SCHEMA, binary=binary))
    assert len(found) == 5
    for name in ("ra", "b", "i", "l", "f"):
        assert [None if v is np.ma.masked else v for v in found[name]][:3] == [
            row[name] for row in ROWS
        ]
    assert [str(text) for text in found["t"]][:3] == ["a<b & ]]> é 😀", "", ""]
    assert found["p"][0].tolist() == [3.0, 4.0]
    assert list(found["v"][0]) == [1.0, 2.0]
    assert list(found["x"][0]) == [0, 255]
    assert found["ra"].unit == "deg"
    assert found["ra"].meta["ucd"] == "pos.eq.ra"
    assert found["ra"].description == 'right <ascension> & "so"'


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(st.none() | _TEXT, st.none() | st.floats(width=64)), max_size=20))
def test_binary2_keeps_every_text_and_float(rows: list[tuple[str | None, float | None]]) -> None:
    schema = pa.schema([("t", pa.string()), ("d", pa.float64())])
    batch = pa.RecordBatch.from_pylist([{"t": t, "d": d} for t, d in rows], schema=schema)
    found = _read(_document([batch], schema, binary=True))
    assert [str(t) for t in found["t"]] == [t or "" for t, _ in rows]
    np.testing.assert_array_equal(
        np.ma.filled(np.ma.asarray(found["d"]), np.nan).astype(float),
        [np.nan if d is None else d for _, d in rows],
    )


def test_what_xml_cannot_hold_is_replaced_in_tabledata() -> None:
    schema = pa.schema([("t", pa.string())])
    batch = pa.RecordBatch.from_pylist([{"t": "a\x00b\x1b\ufffe"}], schema=schema)
    found = _read(_document([batch], schema, binary=False))
    assert str(found["t"][0]) == "a\ufffdb\ufffd\ufffd"


def test_lines_of_base64_join_batches_of_any_length() -> None:
    schema = pa.schema([("n", pa.int64())])
    batches = [
        pa.RecordBatch.from_pydict({"n": np.arange(a, a + n)}, schema=schema)
        for a, n in ((0, 1), (1, 7000), (7001, 6000))
    ]
    found = _read(_document(batches, schema, binary=True))
    assert found["n"].tolist() == list(range(13_001))


def test_the_status_says_whether_rows_are_missing() -> None:
    schema = pa.schema([("n", pa.int64())])
    for overflow in (False, True):
        file = parse(io.BytesIO(_document([], schema, binary=True, overflow=overflow)))
        said = [info.value for info in file.resources[0].infos if info.name == "QUERY_STATUS"]
        assert said == ["OK"] + ["OVERFLOW"] * overflow


def test_an_error_is_a_document_of_its_own() -> None:
    file = parse(io.BytesIO(error_document("no table <x> & \x00 y")))
    (info,) = file.resources[0].infos
    assert (info.name, info.value) == ("QUERY_STATUS", "ERROR")
    assert "no table <x> & " in info.content
