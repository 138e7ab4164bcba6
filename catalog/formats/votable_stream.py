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
from zoolens.catalog.formats.votable_binary import binary_rows, kind_of, whole
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

    binary: BINARY2, else TABLEDATA. Types are those of `catalog.formats.votable_binary.KINDS`,
    text, bytes and lists of floats; a field's metadata may say what its values are (b"xtype"), of
    which size lists are (b"arraysize"), that its text is `char`, which is ASCII or UTF-8
    (b"datatype"), and its UTYPE (b"utype"). descriptor: of a service for a column.
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
        data = self._rest + binary_rows(batch)
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
    return whole(pc.binary_join_element_wise(*cells, "</TD></TR>\n", ""))


def _cells(column: pa.Array) -> pa.Array:
    """Values as text of XML, NULL as none."""
    if pa.types.is_boolean(column.type):
        text = pc.if_else(column, "T", "F")
    elif pa.types.is_floating(column.type):
        text = _float_text(column)
    elif pa.types.is_binary(column.type):
        text = pa.array([" ".join(map(str, v or b"")) for v in column.to_pylist()], pa.string())
    elif pa.types.is_list(column.type):
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
