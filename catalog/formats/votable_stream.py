"""A VOTable that is written as its rows come, of unknown number: TABLEDATA or BINARY2.

VOTable 1.4, sections 5.1 and 5.4, and DALI 1.1, section 4.4: the status of a query is an INFO
before the table, and one after it where rows are missing. Text has any length; it is `unicodeChar`,
but for times, which are ASCII. What XML cannot hold in text becomes U+FFFD in TABLEDATA.
"""

import binascii
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.formats.votable_services import NO_XML, Descriptor, xml_text

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<RESOURCE type="results">
"""
_OK = '<INFO name="QUERY_STATUS" value="OK"/>\n'
_OVERFLOW = (
    '<INFO name="QUERY_STATUS" value="OVERFLOW">there are more rows than MAXREC allows</INFO>\n'
)
_TAIL = "</RESOURCE>\n</VOTABLE>\n"
_KINDS = {  # VOTable datatype, and NumPy's in BINARY2
    pa.bool_(): ("boolean", "u1"),
    pa.int16(): ("short", ">i2"),
    pa.int32(): ("int", ">i4"),
    pa.int64(): ("long", ">i8"),
    pa.float32(): ("float", ">f4"),
    pa.float64(): ("double", ">f8"),
}
_LISTS = pa.list_(pa.float64())
_SIZES = {"point": "2", "circle": "3"}
_LINE = 48_000  # bytes, a multiple of 3, that become a line of base64


def error_document(message: str) -> bytes:
    """The VOTable that says that a query failed, and why."""
    said = escape("".join(c if c.isprintable() or c == "\n" else " " for c in message))
    info = f'<INFO name="QUERY_STATUS" value="ERROR">{said}</INFO>\n'
    return f"{_HEAD}{info}{_TAIL}".encode()


def cone_error_document(message: str) -> bytes:
    """The VOTable that says so of a cone search (Simple Cone Search 1.03, section 2.3)."""
    said = quoteattr(xml_text(message))
    info = f'<INFO ID="Error" name="Error" value={said}/>\n'
    return f"{_HEAD}{info}{_TAIL}".encode()


class VOTableStream:
    """A VOTable as bytes: `head`, then `rows` of each batch, then `tail`.

    binary: BINARY2, else TABLEDATA. Types are those of `_KINDS`, text, bytes and lists of floats;
    a field's metadata may say what its values are (b"xtype"), that its text is `char`, which
    is ASCII or UTF-8 (b"datatype"), and its UTYPE (b"utype"). descriptor: of a service for a
    column.
    """

    def __init__(
        self,
        schema: pa.Schema,
        *,
        binary: bool,
        infos: dict[str, str],
        descriptor: Descriptor | None = None,
    ) -> None:
        self._schema, self._binary, self._infos = schema, binary, infos
        self._descriptor = descriptor
        self._rest = b""

    def head(self) -> bytes:
        """All before the first row."""
        of = self._descriptor
        fields = "".join(
            _field(field, None if of is None or of.column != field.name else of.field)
            for field in self._schema
        )
        system = '<COOSYS ID="icrs" system="ICRS"/>\n' if 'ref="icrs"' in fields else ""
        infos = "".join(
            f"<INFO name={quoteattr(name)} value={quoteattr(xml_text(value))}/>\n"
            for name, value in self._infos.items()
        )
        data = '<BINARY2>\n<STREAM encoding="base64">\n' if self._binary else "<TABLEDATA>\n"
        return f"{_HEAD}{_OK}{infos}{system}<TABLE>\n{fields}<DATA>{data}".encode()

    def rows(self, batch: pa.RecordBatch) -> bytes:
        """Rows, of the columns of the head."""
        if not self._binary:
            return _table_rows(batch)
        data = self._rest + _binary_rows(batch)
        whole = len(data) - len(data) % _LINE
        self._rest = data[whole:]
        return b"".join(_lines(data[:whole]))

    def tail(self, *, overflow: bool) -> bytes:
        """All after the last row; overflow: whether there would have been more."""
        end = "</STREAM>\n</BINARY2></DATA>\n" if self._binary else "</TABLEDATA></DATA>\n"
        more = "" if self._descriptor is None else self._descriptor.written()
        status = _OVERFLOW if overflow else ""
        text = f"{end}</TABLE>\n{status}</RESOURCE>\n{more}</VOTABLE>\n"
        return b"".join(_lines(self._rest)) + text.encode()


def _lines(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(data), _LINE):
        yield binascii.b2a_base64(view[start : start + _LINE])


def kind_of(field: pa.Field) -> tuple[str, str | None, str | None]:
    """VOTable's datatype, arraysize and xtype of a column."""
    xtype = (field.metadata or {}).get(b"xtype", b"").decode() or None
    if field.type in _KINDS:
        return _KINDS[field.type][0], None, xtype
    if pa.types.is_binary(field.type):
        return "unsignedByte", "*", xtype
    if field.type == _LISTS:
        return "double", _SIZES.get(xtype or "", "*"), xtype
    is_char = xtype == "timestamp" or (field.metadata or {}).get(b"datatype") == b"char"
    return ("char" if is_char else "unicodeChar"), "*", xtype


def _field(field: pa.Field, identifier: str | None) -> str:
    said = meaning(field)
    kind, size, xtype = kind_of(field)
    stated = {
        "ID": identifier,
        "name": field.name,
        "datatype": kind,
        "arraysize": size,
        "xtype": xtype,
        "unit": said.unit,
        "ucd": said.ucd,
        "utype": (field.metadata or {}).get(b"utype", b"").decode(),
        "ref": "icrs" if said.ucd.lower().startswith(("pos.eq.", "pos_eq_")) else None,
    }
    words = " ".join(
        f"{name}={quoteattr(xml_text(value))}" for name, value in stated.items() if value
    )
    if not said.description:
        return f"<FIELD {words}/>\n"
    described = escape(xml_text(said.description))
    return f"<FIELD {words}>\n<DESCRIPTION>{described}</DESCRIPTION>\n</FIELD>\n"


# --- TABLEDATA


def _table_rows(batch: pa.RecordBatch) -> bytes:
    cells: list[object] = []
    for place, column in enumerate(batch.columns):
        cells += ["</TD><TD>" if place else "<TR><TD>", _cells(column)]
    return _whole(pc.binary_join_element_wise(*cells, "</TD></TR>\n", ""))


def _cells(column: pa.Array) -> pa.Array:
    """Values as text of XML, NULL as none."""
    if pa.types.is_boolean(column.type):
        text = pc.if_else(column, "T", "F")
    elif pa.types.is_floating(column.type):
        text = _float_text(column)
    elif pa.types.is_binary(column.type):
        text = pa.array([" ".join(map(str, v or b"")) for v in column.to_pylist()], pa.string())
    elif column.type == _LISTS:
        text = _joined(column)
    elif pa.types.is_string(column.type):
        text = column
        for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;")):
            text = pc.replace_substring(text, sign, written)
        text = pc.replace_substring_regex(text, NO_XML, "\ufffd")
    else:
        text = column.cast(pa.string())
    return pc.fill_null(text, "")


def _float_text(column: pa.Array) -> pa.Array:
    text = column.cast(pa.string())
    text = pc.if_else(pc.is_nan(column), "NaN", text)
    infinite = pc.if_else(pc.greater(column, 0), "+Inf", "-Inf")
    return pc.if_else(pc.is_inf(column), infinite, text)


def _joined(column: pa.Array) -> pa.Array:
    numbers = column.flatten()
    text = pc.fill_null(_float_text(numbers), "NaN")
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    ends = np.concatenate([[0], np.cumsum(lengths.to_numpy(zero_copy_only=False))])
    lists = pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), text)
    return pc.binary_join(lists, " ")


def _whole(rows: pa.Array) -> bytes:
    """All of an array of text or bytes, end to end."""
    _, offsets, data = rows.buffers()
    wide = pa.types.is_large_binary(rows.type) or pa.types.is_large_string(rows.type)
    ends = np.frombuffer(offsets, np.int64 if wide else np.int32)
    first, last = ends[rows.offset], ends[rows.offset + len(rows)]
    return b"" if data is None else data[int(first) : int(last)].to_pybytes()


# --- BINARY2


def _binary_rows(batch: pa.RecordBatch) -> bytes:
    if not len(batch):
        return b""
    nulls = np.array([c.is_null().to_numpy(zero_copy_only=False) for c in batch.columns]).T
    parts = [_fixed(np.packbits(nulls, axis=1))]
    for column, field in zip(batch.columns, batch.schema, strict=True):
        parts += _binary_parts(column, field)
    return _whole(pc.binary_join_element_wise(*parts, pa.scalar(b"", pa.large_binary())))


def _binary_parts(column: pa.Array, field: pa.Field) -> list[pa.Array]:
    """The bytes of a column's cells, in one part or several."""
    if pa.types.is_boolean(column.type):
        letters = pc.fill_null(pc.if_else(column, ord("T"), ord("F")), ord("?"))
        return [_fixed(letters.to_numpy(zero_copy_only=False).astype("u1")[:, None])]
    if column.type in _KINDS:
        values = pc.fill_null(column, 0).to_numpy(zero_copy_only=False)
        return [_fixed(_bytes(values, _KINDS[column.type][1]))]
    kind, size, _ = kind_of(field)
    if column.type == _LISTS:
        return _list_parts(column, size)
    binary = _encoded(column, kind)
    width = 2 if kind == "unicodeChar" else 1
    lengths = pc.binary_length(binary).to_numpy(zero_copy_only=False) // width
    return [_fixed(_bytes(lengths, ">i4")), binary]


def _list_parts(column: pa.Array, size: str | None) -> list[pa.Array]:
    lists = [[] if v is None else v for v in column.to_pylist()]
    if size not in (None, "*"):
        lists = [v or [np.nan] * int(size or 0) for v in lists]
    packed = [np.array([np.nan if x is None else x for x in v], ">f8").tobytes() for v in lists]
    binary = pa.array(packed, pa.large_binary())
    if size != "*":
        return [binary]
    return [_fixed(_bytes(np.array([len(v) for v in lists]), ">i4")), binary]


def _encoded(column: pa.Array, kind: str) -> pa.Array:
    filled = pc.fill_null(column, b"" if pa.types.is_binary(column.type) else "")
    if kind != "unicodeChar":
        return filled.cast(pa.large_binary())
    if not pc.all(pc.string_is_ascii(filled)).as_py():
        cells = [cell.encode("utf-16-be") for cell in filled.to_pylist()]
        return pa.array(cells, pa.large_binary())
    letters = np.frombuffer(_whole(filled), np.uint8)
    wide = np.zeros(2 * len(letters), np.uint8)
    wide[1::2] = letters
    ends = np.concatenate([[0], np.cumsum(2 * pc.binary_length(filled).to_numpy())])
    buffers = [None, pa.py_buffer(ends.astype(np.int64)), pa.py_buffer(wide)]
    return pa.Array.from_buffers(pa.large_binary(), len(filled), buffers)


def _bytes(values: np.ndarray, kind: str) -> np.ndarray:
    """Numbers (N,) as bytes (N, width)."""
    return np.ascontiguousarray(values.astype(kind)).view(np.uint8).reshape(len(values), -1)


def _fixed(rows: np.ndarray) -> pa.Array:
    """Bytes (N, width) as an array of binary values."""
    count, width = rows.shape
    ends = np.arange(count + 1, dtype=np.int64) * width
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(rows))]
    return pa.Array.from_buffers(pa.large_binary(), count, buffers)
