"""CSV files, gzipped or not, read as text, and Parquet tables written as CSV.

When reading, nothing is guessed, and odd rows are reported; in what is written, NULL and empty
text stay distinct.
"""

import csv as csv_text
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.fixed_width import blocks
from zoolens.catalog.runtime.files import replacing

_BYTES = 4 << 20  # of a block
_LONGEST_HEADER = 1 << 20  # bytes; a longer one may be a decompression bomb
_MANY = 1000  # rows
# what Excel, LibreOffice or Google Sheets evaluate, also in full width, spaces before it or not
_FORMULA = r"^([\t\r\n]|[ \t\r\n]*[=+@\-＝＋－＠])"
_ROW_BYTES = 4096  # assumed length of a row, to write a few thousand at a time


def csv_header(path: Path) -> list[str]:
    """The names of the columns. Raises `TableRefused` if there is no header."""
    with opened(path) as file:
        start = file.read(_LONGEST_HEADER).decode("utf-8-sig", errors="replace")
    text = start.lstrip("\r\n")
    if not text.strip():
        raise TableRefused(f"{path} is empty")
    reader = csv_text.reader(io.StringIO(text, newline=""))
    try:
        header = next(reader)
        whole = len(start) < _LONGEST_HEADER or next(reader, None) is not None
    except csv_text.Error:  # a field without end
        whole = False
    if not whole:
        raise TableRefused(f"{path} has no end of a line in its first million letters")
    if any("\ufffd" in name for name in header):
        raise TableRefused(f"{path} cannot be read as a table: its header is not UTF-8 text")
    return header


def csv_blocks(path: Path, columns: Sequence[str], misshapen: dict[int, str]) -> Iterator[pa.Table]:
    """Some columns of all rows as text, an empty field NULL, some thousand rows at a time.

    misshapen: receives what is wrong with rows of more or fewer fields than the header, by
    their number, the first data row being 1. Raises `TableRefused` if the rows after one
    cannot be separated, most rows are misshapen, or a value is not text.
    """
    unclosed: list[int] = []

    def set_aside(row: csv.InvalidRow) -> str:
        # numbered from the header, blank lines not counted
        lines = row.text.count("\n")
        more = f", over {lines + 1:,} lines: a quotation mark that is not closed?" if lines else ""
        fields = f"{row.actual_columns} fields, not {row.expected_columns}"
        misshapen[row.number - 1] = fields + more
        if row.text.count('"') % 2:
            unclosed.append(row.number - 1)
        return "skip"

    # not through Python's file objects, which Arrow's threads might still read at exit
    with (
        pa.OSFile(str(path)) as raw,
        pa.CompressedInputStream(raw, "gzip") if _is_packed(path) else raw as file,
        _telling_what_is_no_text(path),
        csv.open_csv(
            file,
            # rows are numbered in a single thread only
            read_options=csv.ReadOptions(use_threads=False, block_size=_BYTES),
            parse_options=csv.ParseOptions(newlines_in_values=True, invalid_row_handler=set_aside),
            convert_options=csv.ConvertOptions(
                include_columns=[*columns],
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        ) as reader,
    ):
        good = 0
        for batch in reader:
            good += len(batch)
            if unclosed:
                break
            if len(misshapen) > max(_MANY, good):
                raise TableRefused(
                    f"most rows of {path} have not as many fields as its header; is a comma "
                    "between them?"
                )
            if len(batch):
                yield pa.Table.from_batches([batch])
    if unclosed:
        raise TableRefused(
            f"{path}, row {unclosed[0]}: a quotation mark is opened and not closed, so that the "
            "rows after it cannot be told apart; correct it"
        )


def write_csv(table: Path, out: Path) -> None:
    """Write a Parquet file as CSV with a header: NULL empty, text in quotes, floats exact.

    An empty field is NULL, empty text is `""`; text that could be a formula is written as
    `no_formula` has it. CSV cannot hold units and descriptions. Raises `CatalogError` if the
    file cannot be written; then nothing is.
    """
    with replacing(out) as part, csv.CSVWriter(part, pq.read_schema(table)) as writer:
        for batch in blocks(table, _ROW_BYTES):
            writer.write_batch(_without_formulas(batch))


def no_formula(text: str) -> str:
    """Text with an apostrophe before it if a spreadsheet would take it for a formula.

    Names come from others' tables, and a formula can send what else is in a sheet elsewhere.
    """
    return re.sub(_FORMULA, r"'\1", text)


def _without_formulas(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`no_formula` of every value of the columns that are text."""
    for place, field in enumerate(batch.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            plain = pc.replace_substring_regex(batch[place], _FORMULA, r"'\1")
            batch = batch.set_column(place, field, plain)
    return batch


def opened(path: Path) -> BinaryIO:
    """The content of a file, decompressed if its name says that it is compressed."""
    return cast(BinaryIO, gzip.open(path)) if _is_packed(path) else path.open("rb")


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


@contextmanager
def _telling_what_is_no_text(path: Path) -> Iterator[None]:
    try:
        yield
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):  # only a header, without the end of its line
            return
        found = re.search(r"column #(\d+): Row #(\d+): .*UTF8", str(error))
        if found is None:
            raise
        column = csv_header(path)[int(found[1])]
        raise TableRefused(
            f"{path}, row {int(found[2]) - 1}, column {column}: not UTF-8 text; save the table "
            "as UTF-8"
        ) from None
