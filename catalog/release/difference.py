"""Two releases side by side: which galaxies and columns changed, and by how much."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.formats.parquet_blocks import parquet_whole
from zoolens.catalog.paths import galaxies_path
from zoolens.catalog.release.provenance import read_manifest

MOST_VALUES = 5_000_000  # to list one by one

_KEY = "iauname"
COLUMNS = pa.schema(
    {
        "column": pa.string(),
        "change": pa.string(),
        "galaxies": pa.int64(),
        "largest": pa.float64(),
        "typical": pa.float64(),
        "example": pa.string(),
    }
)
GALAXIES = pa.schema(
    {
        "iauname": pa.string(),
        "change": pa.string(),
        "column": pa.string(),
        "before": pa.string(),
        "after": pa.string(),
        "difference": pa.float64(),
    }
)


@dataclass(frozen=True)
class _Changed:
    """The values of a column that changed: of whom, before, after, and the difference, all (n,).

    difference: after less before; NaN where one is missing, or they are not numbers.
    """

    column: str
    names: pa.Array
    before: pa.Array
    after: pa.Array
    difference: npt.NDArray[np.float64]


class Difference:
    """The tables of galaxies of two releases, matched by name.

    Read column by column, so that only one has to fit in memory. Raises `CatalogError`
    if one is not a release, or has a galaxy twice.
    """

    def __init__(self, before: Path, after: Path) -> None:
        self._files = [galaxies_path(folder) for folder in (before, after)]
        self._schemas = [_schema(folder) for folder in (before, after)]
        a, b = (_column(file, _KEY) for file in self._files)
        for file, names in zip((before, after), (a, b), strict=True):
            if pc.count_distinct(names).as_py() < len(names):
                counts = pc.value_counts(names)
                twice = counts.field(0)[int(np.argmax(counts.field(1).to_numpy()))]
                raise CatalogError(
                    f"{galaxies_path(file)} has {twice} twice; it cannot be compared"
                )
        place = pc.index_in(a, b)
        both = place.is_valid()
        self._names = a.filter(both)
        self._rows = np.flatnonzero(both.to_numpy(zero_copy_only=False)), place.drop_null()
        self._removed = a.filter(pc.invert(both))
        self._added = b.filter(pc.invert(pc.is_in(b, a)))

    def by_column(self) -> pa.Table:
        """What changed, one row per changed column (`COLUMNS`).

        change: `added`, `removed`, `type`, or `values`. galaxies: how many have another value,
        among those in both; largest and typical (median) the absolute differences
        of numbers that changed; example the galaxy with the largest. Galaxies that are in
        only one release are counted in rows for the column `iauname`.
        """
        rows: list[Sequence[Any]] = [
            (_KEY, change, len(names), None, None, pc.min(names).as_py())
            for change, names in (("removed", self._removed), ("added", self._added))
            if len(names)
        ]
        for changed in self._values():
            gap = np.abs(changed.difference)
            known = gap[~np.isnan(gap)]
            largest, typical = (known.max(), np.median(known)) if len(known) else (None, None)
            example = changed.names[int(np.argmax(np.nan_to_num(gap, nan=-1, posinf=np.inf)))]
            rows.append((changed.column, "values", len(gap), largest, typical, example.as_py()))
        rows += self._columns()
        return pa.Table.from_pylist(
            [dict(zip(COLUMNS.names, row, strict=True)) for row in rows], COLUMNS
        )

    def by_galaxy(self) -> pa.Table:
        """Every value that changed (`GALAXIES`), by galaxy, then in the order of the columns.

        change: `added`, `removed`, or `value`, of which before and after are text and
        difference is after less before if both are numbers. Raises `CatalogError`
        if more changed than can be listed.
        """
        tables, listed = [], 0
        for change, names in (("removed", self._removed), ("added", self._added)):
            none = [pa.nulls(len(names), field.type) for field in list(GALAXIES)[2:]]
            said = pa.array([change] * len(names), pa.string())
            tables.append(pa.Table.from_arrays([names, said, *none], schema=GALAXIES))
        for changed in self._values():
            n = len(changed.names)
            listed += n
            if listed > MOST_VALUES:
                raise CatalogError(
                    f"more than {MOST_VALUES:,} values changed; compare by column, or cut "
                    "both releases with a few --columns"
                )
            arrays = [
                changed.names,
                pa.array(["value"] * n),
                pa.array([changed.column] * n),
                changed.before.cast(pa.string()),
                changed.after.cast(pa.string()),
                pa.array(changed.difference, from_pandas=True),
            ]
            tables.append(pa.Table.from_arrays(arrays, schema=GALAXIES))
        table = pa.concat_tables(tables)
        # the sort is not stable: equals are sorted by place, which is the order of the columns
        table = table.append_column("place", pa.array(np.arange(len(table))))
        ordered = table.sort_by([(_KEY, "ascending"), ("place", "ascending")])
        return ordered.drop_columns("place")

    def _values(self) -> Iterator[_Changed]:
        """The columns of both releases, of one type, in which a value changed."""
        a, b = self._schemas
        for name in a.names:
            if name != _KEY and name in b.names and a.field(name).type == b.field(name).type:
                before, after = (
                    _column(file, name).take(pa.array(rows))
                    for file, rows in zip(self._files, self._rows, strict=True)
                )
                changed = _unlike(before, after)
                if changed.any():
                    rows = pa.array(np.flatnonzero(changed))
                    before, after = before.take(rows), after.take(rows)
                    gap = _gap(before, after)
                    yield _Changed(name, self._names.take(rows), before, after, gap)

    def _columns(self) -> Iterator[Sequence[Any]]:
        a, b = self._schemas
        for name in a.names:
            if name not in b.names:
                yield name, "removed", None, None, None, None
            elif a.field(name).type != b.field(name).type:
                kinds = f"{a.field(name).type} to {b.field(name).type}"
                yield name, "type", None, None, None, kinds
        for name in b.names:
            if name not in a.names:
                yield name, "added", None, None, None, None


def _schema(folder: Path) -> pa.Schema:
    """The columns of the table of galaxies of a release."""
    read_manifest(folder)
    file = galaxies_path(folder)
    if not file.is_file():
        raise CatalogError(f"{folder} has no {file.name}; it is incomplete")
    with _no_parquet_as_error(file):
        schema = pq.read_schema(file)
        if _KEY not in schema.names:
            raise CatalogError(f"{file} has no column {_KEY} to tell galaxies by")
        return schema


def _column(file: Path, name: str) -> pa.Array:
    """The values of a column, (N,)."""
    with _no_parquet_as_error(file):
        return parquet_whole(file, [name])[name].combine_chunks()


@contextmanager
def _no_parquet_as_error(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as error:
        first = str(error).splitlines()[0]
        raise CatalogError(f"{file} is no Parquet file: {first}") from None


def _unlike(before: pa.Array, after: pa.Array) -> npt.NDArray[np.bool_]:
    """Where two arrays differ; two that are missing do not."""
    equal = pc.fill_null(pc.equal(before, after), False)
    missing = pc.and_(before.is_null(nan_is_null=True), after.is_null(nan_is_null=True))
    unlike: npt.NDArray[np.bool_] = pc.invert(pc.or_(equal, missing)).to_numpy(zero_copy_only=False)
    return unlike


def _gap(before: pa.Array, after: pa.Array) -> npt.NDArray[np.float64]:
    """After less before, NaN where they are not numbers."""
    if not (pa.types.is_integer(before.type) or pa.types.is_floating(before.type)):
        return np.full(len(before), np.nan)
    with np.errstate(invalid="ignore"):
        gap: npt.NDArray[np.float64] = after.to_numpy(zero_copy_only=False).astype(float)
        return gap - before.to_numpy(zero_copy_only=False).astype(float)
