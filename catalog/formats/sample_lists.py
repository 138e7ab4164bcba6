"""Columns that hold a number, or a list of posterior samples, in each row."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.formats.missing import is_missing
from zoolens.catalog.formats.reading import numbers

_SCALAR = re.compile(r"np\.float\d+\(([^()]*)\)")
_ARRAY = re.compile(
    r"(?P<call>array\(|tensor\()?\s*(?:\[(?P<list>[^][()]*)\]|\((?P<tuple>[^][()]*)\))\s*"
    r"(?(call)(?:,\s*dtype=[\w.]+\s*)?\))"
)


@dataclass(frozen=True)
class Samples:
    """One column of N rows.

    values: all samples, row after row; lengths (N,): how many each row has, 0 where
    the cell is empty; bad (N,): rows with something that is not a number.
    """

    values: Floats
    lengths: npt.NDArray[np.int64]
    bad: Flags

    def any_value(self, wrong: Callable[[Floats], Flags]) -> Flags:
        """Rows with any value for which `wrong` is true, (N,)."""
        rows = np.repeat(np.arange(len(self.lengths)), self.lengths)
        return np.bincount(rows[wrong(self.values)], minlength=len(self.lengths)) > 0

    def matrix(self, rows: npt.NDArray[np.int64], length: int) -> Floats:
        """Samples of `rows` (n,) as (n, length), NaN where a row has none."""
        starts = np.cumsum(self.lengths) - self.lengths
        matrix = np.full((len(rows), length), np.nan)
        has = self.lengths[rows] == length
        matrix[has] = self.values[starts[rows[has], None] + np.arange(length)]
        return matrix


def read_samples(column: pa.ChunkedArray) -> Samples:
    """Read a column of numbers, of lists, or of text that is either (as JSON, or as printed)."""
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _of_lists(column)
    values, bad = numbers(column)
    if bad.any() and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return _of_text(column.to_pylist())
    given = ~np.isnan(values)
    return Samples(values[given], given.astype(np.int64), bad)


def _of_lists(column: pa.ChunkedArray) -> Samples:
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy().astype(np.int64)
    values, no_number = numbers(pa.chunked_array(pc.list_flatten(column)))
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return Samples(values, lengths, np.bincount(rows[no_number], minlength=len(lengths)) > 0)


def _of_text(cells: list[str | None]) -> Samples:
    lists = [_parse(cell) for cell in cells]
    values = np.array([value for samples in lists for value in samples or ()], dtype=np.float64)
    return Samples(
        values,
        np.array([len(samples or ()) for samples in lists]),
        np.array([samples is None for samples in lists]),
    )


def _parse(cell: str | None) -> list[float] | None:
    """The samples in a cell; None if it is neither a number nor a list of numbers."""
    if cell is None or not (text := cell.strip()) or is_missing(text):
        return []
    try:
        content = json.loads(text)
        samples = content if isinstance(content, list) else [content]
        if all(type(value) in (int, float) for value in samples):
            return [float(value) for value in samples]
    except ValueError:
        return _printed(text)
    except (OverflowError, RecursionError):
        pass  # wrong in whatever way
    return None


def _printed(text: str) -> list[float] | None:
    """The samples of a list as NumPy or Python prints it; None if it is none.

    `[1. 2.5]`, `array([1., 2.5], dtype=float32)`, `[np.float64(1.0)]`, `(1.0, 2.5)`, over several
    lines or not. A list that was cut short (`...`) is none: samples are missing.
    """
    found = _ARRAY.fullmatch(_SCALAR.sub(r"\1", text))
    if found is None:
        return None
    inside = found["list"] or found["tuple"]
    if not inside.strip():
        return []
    parts = inside.rstrip().removesuffix(",").split(",") if "," in inside else inside.split()
    try:
        return [float(part) for part in parts]
    except ValueError:
        return None
