"""CSV files, gzipped or not, read as text, and Parquet tables written as CSV.

Read, nothing is guessed, and odd rows are told; written, NULL and empty text stay apart.
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
import pyarrow.parquet as pq
from pyarrow import csv

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.fixed_width import blocks
from zoolens.catalog.runtime.files import replacing

_BYTES = 4 << 20  # of a block
_LONGEST_HEADER = 1 << 20  # bytes: a bomb need not be unpacked to be known as one
_MANY = 1000  # rows
_ROW_BYTES = 4096  # taken for the length of a row, to write a few thousand at a time


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

    misshapen: takes what is wrong with rows of more or fewer fields than the header, by their
    number, the first data row being 1. Raises `TableRefused` if what follows a row cannot
    be told apart, most rows are misshapen, or a value is no text.
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

    # not through files of Python's, which Arrow's own threads would still read at the end
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

    An empty field is NULL, empty text is `""`. CSV has no place for units and words.
    Raises `CatalogError` if the file cannot be written; then nothing is.
    """
    with replacing(out) as part, csv.CSVWriter(part, pq.read_schema(table)) as writer:
        for batch in blocks(table, _ROW_BYTES):
            writer.write_batch(batch)


def opened(path: Path) -> BinaryIO:
    """The content of a file, unpacked where its name says that it is packed."""
    return cast(BinaryIO, gzip.open(path)) if _is_packed(path) else path.open("rb")


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


@contextmanager
def _telling_what_is_no_text(path: Path) -> Iterator[None]:
    try:
        yield
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):  # a header and nothing else, not even the end of its line
            return
        found = re.search(r"column #(\d+): Row #(\d+): .*UTF8", str(error))
        if found is None:
            raise
        column = csv_header(path)[int(found[1])]
        raise TableRefused(
            f"{path}, row {int(found[2]) - 1}, column {column}: not UTF-8 text; save the table "
            "as UTF-8"
        ) from None
