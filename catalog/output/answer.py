"""Answers written for a person or to a file: table, CSV, JSON, Parquet, LaTeX."""

import csv
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.latex import tabular
from zoolens.catalog.paths import is_database
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.runtime.progress import remark

if TYPE_CHECKING:
    import pyarrow as pa


FORMATS = ("table", "csv", "json", "parquet", "latex")
_SUFFIXES = {"tex": "latex"}  # where a file's is not its format's name
TABLE_ROWS = 100  # as many as a person reads; files hold all
_WIDE = 10_000  # columns of a pipe, which has no width: enough for every table, so that none is cut


@dataclass(frozen=True)
class Answer:
    """Named columns and their rows, to be read once; `arrow` gives the same as an Arrow table.

    pyarrow takes longer to import than a query takes to run, so it is only imported by
    `arrow`, for Parquet.
    """

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    arrow: "Callable[[], pa.RecordBatchReader]"


def from_arrow(table: "pa.Table") -> Answer:
    """An Arrow table as an answer."""
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return Answer(table.column_names, rows, table.to_reader)


def write(
    answer: Answer,
    form: str | None = None,
    out: Path | None = None,
    most: int = TABLE_ROWS,
    width: int = _WIDE,
) -> None:
    """Write an answer to `out`, or to standard output.

    The format is `form`, else what the suffix of `out` says, else a table of `most` rows, and, but
    in a terminal, which has its own, of at most `width` columns, longer cells folded. A file
    appears complete or not at all. Raises `CatalogError` for an unknown format, for Parquet
    without a file or of values that it cannot hold, and if `out` is a catalogue or cannot be
    written.
    """
    form = form or (_form_of(out) if out is not None else "table")
    if form not in FORMATS:
        raise CatalogError(f"no format {form!r}; choose one of {', '.join(FORMATS)}")
    if out is not None:
        _refuse_catalogue(out)
    if form == "parquet":
        _parquet(answer, out)
        return
    ways: dict[str, Callable[[Answer, TextIO], None]] = {
        "table": partial(_table, most=most, width=width),
        "csv": _csv,
        "json": _json,
        "latex": _latex,
    }
    written = ways[form]
    if out is None:
        _to_terminal(answer, written)
        return
    with replacing(out) as part, part.open("w", encoding="utf-8", newline="") as file:
        written(answer, file)


def _refuse_catalogue(out: Path) -> None:
    """Refuse to replace a catalogue, which may hold years of votes, by a table."""
    if out.is_file() and is_database(out):
        raise CatalogError(f"{out} is a DuckDB database; --out takes another file")


def _parquet(answer: Answer, out: Path | None) -> None:
    if out is None:
        raise CatalogError("Parquet is binary; say where to put it: --out FILE.parquet")
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        reader = answer.arrow()
        names = numbered(reader.schema.names)
        schema = pa.schema([f.with_name(n) for f, n in zip(reader.schema, names, strict=True)])
        with replacing(out) as part, pq.ParquetWriter(part, schema) as writer:
            for batch in reader:
                writer.write_batch(batch.rename_columns(names))
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise CatalogError(
            f"{out} cannot hold this answer: {reason}; cast the column to text, or --format csv"
        ) from None


def _to_terminal(answer: Answer, written: "Callable[[Answer, TextIO], None]") -> None:
    if sys.stdout is None:
        raise CatalogError("standard output is closed; name a file: --out FILE")
    try:
        written(answer, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # else flushing the buffer would fail again when the program ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise CatalogError(f"standard output could not be written: {error.strerror}") from None


def plain(text: str) -> str:
    """Text without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _form_of(out: Path) -> str:
    suffix = out.suffix.removeprefix(".").lower()
    form = _SUFFIXES.get(suffix, suffix)
    if form not in FORMATS:
        raise CatalogError(
            f"{out} does not tell its format; end it in .csv, .json, .parquet or .tex, or "
            "give --format"
        )
    return form


def _table(answer: Answer, file: TextIO, most: int, width: int) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True)
    rows = iter(answer.rows)
    first = [row for _, row in zip(range(most), rows, strict=False)]
    for number, name in enumerate(answer.columns):
        is_number = any(isinstance(row[number], int | float | Decimal) for row in first)
        shown.add_column(
            Text(plain(name)), justify="right" if is_number else "left", overflow="fold"
        )
    for row in first:
        cells = zip(row, answer.columns, strict=True)
        shown.add_row(*(Text(cell(value, column)) for value, column in cells))
    Console(file=file, width=None if file.isatty() else width).print(shown)
    more = sum(1 for _ in rows)
    if more:
        file.write(f"… {more:,} more rows; --format csv or --out FILE holds them all\n")


_POSITION = re.compile(
    r"(?i)(?:^|_)(?:ra|dec|ra_?deg|dec_?deg|ra_?j2000|de_?j2000|[bl]|lon|lat|glon|glat)$"
)
_WHOLE = 2.0**53  # beyond, a float is no longer every integer


def cell(value: Any, column: str = "") -> str:
    """A value as tables for people show it: a float to four digits, and not as if it were exact.

    Columns that are called as positions are, in degrees, are shown to a millionth. What is
    rounded to an integer keeps its zeros: 0.99996 is 1.000.
    """
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6f}" if _POSITION.search(column) else _rounded(value)
    if isinstance(value, bytes):
        return f"<{len(value):,} bytes>"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S%z}"
    return plain(str(value))


def _rounded(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.0f}"
    if value.is_integer() and _WHOLE <= abs(value) < 1e20:
        return f"{value!r}"  # an identifier that went through floats, say
    if 999.95 <= abs(value) < 1e15:
        return f"{value:,.1f}" if abs(value) < 1e4 else f"{value:,.0f}"
    short = f"{value:.4g}"
    return f"{value:#.4g}" if short.lstrip("-").isdigit() else short


def _csv(answer: Answer, file: TextIO) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(numbered(answer.columns))
    for row in answer.rows:
        writer.writerow([value.hex() if isinstance(value, bytes) else value for value in row])


def _json(answer: Answer, file: TextIO) -> None:
    """A JSON array of objects, one per line; blobs are hexadecimal.

    JSON has no NaN and no infinity: NaN becomes null, infinity the text "inf".
    """
    names = numbered(answer.columns)
    file.write("[")
    for number, row in enumerate(answer.rows):
        values = {name: _jsonable(value) for name, value in zip(names, row, strict=True)}
        file.write(("," if number else "") + "\n" + json.dumps(values, default=str))
    file.write("\n]\n")


def _latex(answer: Answer, file: TextIO) -> None:
    """A table of booktabs, its numbers as people read them (`cell`), all rows."""
    rows = list(answer.rows)
    names = list(answer.columns)
    align = "".join(
        "r" if any(isinstance(row[place], int | float | Decimal) for row in rows) else "l"
        for place in range(len(names))
    )
    cells = ([cell(v, name) for v, name in zip(row, names, strict=True)] for row in rows)
    file.writelines(f"{line}\n" for line in tabular(align, names, cells))


def distinct(names: Sequence[str]) -> list[str]:
    """Column names, a second `label` as `label_1`."""
    found: dict[str, None] = {}
    tried: dict[str, int] = {}
    for name in names:
        number, new = tried.get(name, 0), name
        while new in found:
            number += 1
            new = f"{name}_{number}"
        tried[name] = number
        found[new] = None
    return list(found)


def numbered(names: Sequence[str]) -> list[str]:
    """`distinct` names, told where they are new: few readers open a file with two of a name."""
    found = distinct(names)
    new = [name for name, old in zip(found, names, strict=True) if name != old]
    if new:
        remark(f"columns of one name are numbered: {', '.join(map(plain, new))}; AS renames them")
    return found


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    return value
