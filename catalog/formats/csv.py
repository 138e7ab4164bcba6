"""CSV and its like (`catalog.formats.dialect`), read as text, and Parquet written as CSV.

When reading, nothing is guessed, and odd rows are reported; in what is written, NULL and empty
text stay distinct.
"""

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.bounds import MOST_FAULTS
from zoolens.catalog.formats.dialect import dialect_of, is_packed, opened
from zoolens.catalog.formats.fixed_width import blocks
from zoolens.catalog.runtime.files import replacing

_BYTES = 4 << 20  # of a block
_MANY = 1000  # rows
# what Excel, LibreOffice or Google Sheets evaluate, also in full width, spaces before it or not
_FORMULA = r"^([\t\r\n]|[ \t\r\n]*[=+@\-＝＋－＠])"
_ROW_BYTES = 4096  # assumed length of a row, to write a few thousand at a time


def csv_blocks(path: Path, columns: Sequence[str], misshapen: dict[int, str]) -> Iterator[pa.Table]:
    """Some columns of all rows as text, an empty field NULL, some thousand rows at a time.

    misshapen: receives what is wrong with rows of more or fewer fields than the header, by
    their number, the first data row being 1. Raises `TableRefused` if the rows after one
    cannot be separated, most rows are misshapen, or a value of a row with the right number of
    fields is not text.
    """
    if _is_utf8(path):
        yield from _blocks(path, columns, misshapen)
        return
    # Arrow ends at a misshapen row that is not text. It reads a copy, with the replacement
    # character for what is not.
    with NamedTemporaryFile(suffix=".csv") as copy:
        for text in _text_of(path, errors="replace"):
            copy.write(text.encode())
        copy.flush()
        first = 1
        for table in _blocks(path, columns, misshapen, Path(copy.name)):
            rows = row_numbers(first, len(table), misshapen)
            for name in columns:
                is_text = pc.invert(pc.match_substring(table[name], "\ufffd"))
                if not pc.all(is_text).as_py():  # True without rows, NULL left out
                    row = rows[pc.index(is_text, False).as_py()]
                    raise TableRefused(
                        f"{path}, row {row}, column {name}: not UTF-8 text; save the table as UTF-8"
                    )
            yield table
            first = int(rows[-1]) + 1


def _blocks(
    path: Path, columns: Sequence[str], misshapen: dict[int, str], copy: Path | None = None
) -> Iterator[pa.Table]:
    """As `csv_blocks`, of a table or its copy, which is UTF-8."""
    unclosed: list[int] = []
    dialect = dialect_of(path)

    def set_aside(row: csv.InvalidRow) -> str:
        # numbered from the first comment, then the header, blank lines not counted
        lines = row.text.count("\n")
        more = f", over {lines + 1:,} lines: a quotation mark that is not closed?" if lines else ""
        fields = f"{row.actual_columns} fields, not {row.expected_columns}"
        number = row.number - dialect.comments - 1
        misshapen[number] = fields + more
        if row.text.count('"') % 2:
            unclosed.append(number)
        return "skip"

    good = 0
    # not through Python's file objects, which Arrow's threads might still read at exit
    with (
        pa.OSFile(str(copy or path)) as raw,
        pa.CompressedInputStream(raw, "gzip") if not copy and is_packed(path) else raw as file,
        _telling_what_is_wrong(path, lambda: good + len(misshapen)),
        csv.open_csv(
            file,
            # rows are numbered in a single thread only
            read_options=csv.ReadOptions(
                use_threads=False, block_size=_BYTES, skip_rows=dialect.comments
            ),
            parse_options=csv.ParseOptions(
                delimiter=dialect.separator,
                newlines_in_values=True,
                invalid_row_handler=set_aside,
            ),
            convert_options=csv.ConvertOptions(
                include_columns=[*columns],
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        ) as reader,
    ):
        for batch in reader:
            good += len(batch)
            if unclosed:
                break
            if len(misshapen) > min(max(_MANY, good), MOST_FAULTS):
                raise TableRefused(
                    f"most rows of {path} have not as many fields as its header; is "
                    f"{dialect.between} between them?"
                )
            if len(batch):
                yield pa.Table.from_batches([batch])
    if unclosed:
        raise TableRefused(
            f"{path}, row {unclosed[0]}: a quotation mark is opened and not closed, so that the "
            "rows after it cannot be told apart; correct it"
        )


def row_numbers(first: int, count: int, left_out: dict[int, str]) -> npt.NDArray[np.int64]:
    """Numbers (count,) of the next rows of a table, from `first` on.

    left_out: rows that are not among them, by number, in ascending order.
    """
    late = [*takewhile(lambda row: row >= first, reversed(left_out))]
    every = np.arange(first, first + count + len(late))
    return every[~np.isin(every, late)][:count]


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


def _is_utf8(path: Path) -> bool:
    try:
        for _ in _text_of(path):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _text_of(path: Path, errors: str = "strict") -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors)
    with opened(path) as file:
        while data := file.read(_BYTES):
            yield decoder.decode(data)
    yield decoder.decode(b"", final=True)


@contextmanager
def _telling_what_is_wrong(path: Path, rows: Callable[[], int]) -> Iterator[None]:
    """Say what Arrow means; rows: how many have been read."""
    try:
        yield
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):  # only a header, without the end of its line
            return
        if "straddling object" not in str(error):
            raise
        raise TableRefused(
            f"{path}: after row {rows():,} a row is longer than {_BYTES:,} bytes; no table of "
            "galaxies has such: is a quotation mark not closed?"
        ) from None
