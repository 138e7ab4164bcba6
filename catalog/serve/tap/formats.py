"""The formats of an answer: their names and media types, and how rows are written in each.

All are written as the rows come, but FITS, which says first how many there are: its rows wait in a
file.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from zoolens.catalog.errors import nearest
from zoolens.catalog.formats.fits import write_fits
from zoolens.catalog.formats.votable import parquet_metadata
from zoolens.catalog.formats.votable_services import Descriptor
from zoolens.catalog.formats.votable_stream import VOTableStream
from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.tap.rows import as_text

_PART = 1 << 20  # bytes that are read of a file at a time
_CSV = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")


@dataclass(frozen=True)
class Answer:
    """Rows to be written: batches of one schema, cut off after `most` of them.

    descriptor: of a service for a column, which VOTables have.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    most: int
    infos: dict[str, str]
    descriptor: Descriptor | None = None

    def rows(self) -> Generator[pa.RecordBatch, None, bool]:
        """The batches, without the rows beyond; returns whether there were such."""
        left = self.most
        for batch in self.batches:
            if len(batch) > left:
                yield batch.slice(0, left)
                return True
            left -= len(batch)
            yield batch
        return False


Write = Callable[[Answer, Path], Iterator[bytes]]


@dataclass(frozen=True)
class Format:
    """A format: its media type, what else it is called, its suffix, and how it is written."""

    mime: str
    names: tuple[str, ...]
    suffix: str
    write: Write
    ivo_id: str | None = None


def _votable(binary: bool) -> Write:
    def write(answer: Answer, scratch: Path) -> Iterator[bytes]:
        stream = VOTableStream(
            answer.schema, binary=binary, infos=answer.infos, descriptor=answer.descriptor
        )
        yield stream.head()
        overflow = yield from _each(stream.rows, answer)
        yield stream.tail(overflow=overflow)

    return write


def _each(
    written: Callable[[pa.RecordBatch], bytes], answer: Answer
) -> Generator[bytes, None, bool]:
    """The batches of an answer as written; whether there would have been more rows."""
    rows = answer.rows()
    while True:
        try:
            batch = next(rows)
        except StopIteration as end:
            return bool(end.value)
        yield written(batch)


def _csv(answer: Answer, scratch: Path) -> Iterator[bytes]:
    """CSV as DALI has it: a header, text in quotes where it needs them, NULL as nothing."""
    header = io.StringIO()
    csv.writer(header, lineterminator="\n").writerow(answer.schema.names)
    yield header.getvalue().encode()
    for batch in answer.rows():
        if len(batch):
            sink = io.BytesIO()
            pyarrow.csv.write_csv(as_text(batch), sink, _CSV)
            yield sink.getvalue()


def _json(answer: Answer, scratch: Path) -> Iterator[bytes]:
    """An array of objects, a line each; NaN is null, infinity the text "inf"."""
    yield b"["
    begun = False
    for batch in answer.rows():
        names = batch.schema.names
        columns = [column.to_pylist() for column in batch.columns]
        lines = [
            json.dumps({n: _jsonable(v) for n, v in zip(names, row, strict=True)})
            for row in zip(*columns, strict=True)
        ]
        if lines:
            yield ((",\n" if begun else "\n") + ",\n".join(lines)).encode()
            begun = True
    yield b"\n]\n"


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, list):
        return [_jsonable(part) for part in value]
    return value


class _Collected(io.RawIOBase):
    """What was written since it was last taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        """All since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _parquet(answer: Answer, scratch: Path) -> Iterator[bytes]:
    """Parquet whose columns say what they hold, with the VOTable that says it too."""
    sink = _Collected()
    with pq.ParquetWriter(pa.PythonFile(sink, "w"), answer.schema, compression="zstd") as writer:
        for batch in answer.rows():
            writer.write_batch(batch)
            yield sink.taken()
        if not any(pa.types.is_nested(f.type) or pa.types.is_binary(f.type) for f in answer.schema):
            writer.add_key_value_metadata(parquet_metadata(answer.schema, name="results"))
    yield sink.taken()


def _fits(answer: Answer, scratch: Path) -> Iterator[bytes]:
    rows, whole = scratch / "rows.parquet", scratch / "rows.fits"
    schema = as_text(pa.RecordBatch.from_pylist([], schema=answer.schema)).schema
    with pq.ParquetWriter(rows, schema) as writer:
        for batch in answer.rows():
            writer.write_batch(as_text(batch))
    write_fits(rows, whole, name="results")
    rows.unlink()
    with whole.open("rb") as file:
        while part := file.read(_PART):
            yield part
    whole.unlink()


_B2 = "application/x-votable+xml;serialization=BINARY2"
_TD = "application/x-votable+xml;serialization=TABLEDATA"
_STD = "ivo://ivoa.net/std/TAPRegExt#output-votable"
FORMATS = (
    Format("application/x-votable+xml", ("votable", "text/xml"), "vot", _votable(True)),
    Format(_B2, ("votable/b2",), "vot", _votable(True), f"{_STD}-binary2"),
    Format(_TD, ("votable/td",), "vot", _votable(False), f"{_STD}-td"),
    Format("text/csv;header=present", ("csv", "text/csv"), "csv", _csv),
    Format("application/fits", ("fits",), "fits", _fits),
    Format("application/vnd.apache.parquet", ("parquet",), "parquet", _parquet),
    Format("application/json", ("json",), "json", _json),
)
_BY_NAME = {name.lower(): form for form in FORMATS for name in (form.mime, *form.names)}


def format_of(name: str) -> Format:
    """The format of a name or media type. Raises `AdqlError` if there is none."""
    key = name.lower().replace(" ", "").replace('"', "")
    if key not in _BY_NAME:
        short = [form.names[0] for form in FORMATS]
        raise AdqlError(f"no format {name}; there are {nearest(key, short, len(short))}")
    return _BY_NAME[key]
