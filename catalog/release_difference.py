"""Two releases side by side: which galaxies and columns changed, and by how much."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.errors import CatalogError
from catalog.release_paths import galaxies
from catalog.release_provenance import read_manifest

_KEY = "iauname"
_TOGETHER = 40  # columns compared in one pass over both tables
_MEMORY = "1GiB"

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


class Difference:
    """The tables of galaxies of two releases, matched by name.

    Raises `CatalogError` where one is no release, or a galaxy stands in one twice.
    """

    def __init__(self, before: Path, after: Path) -> None:
        self._connection = duckdb.connect(config={"memory_limit": _MEMORY})
        self._schemas = []
        for name, folder in (("a", before), ("b", after)):
            read_manifest(folder)
            file = galaxies(folder)
            if not file.is_file():
                raise CatalogError(f"{folder} has no {file.name}; it is incomplete")
            try:
                self._schemas.append(pq.read_schema(file))
                self._connection.read_parquet(str(file)).create_view(name)
            except (OSError, pa.ArrowException, duckdb.Error) as error:
                first = str(error).splitlines()[0]
                raise CatalogError(f"{file} is no Parquet file: {first}") from None
            twice = self._connection.execute(
                f"SELECT {_KEY} FROM {name} GROUP BY {_KEY} HAVING count(*) > 1 LIMIT 1"
            ).fetchone()
            if twice:
                raise CatalogError(f"{file} has {twice[0]} twice; it cannot be compared")

    def by_column(self) -> pa.Table:
        """What changed, one row a column (`COLUMNS`); nothing where nothing did.

        change: `added`, `removed`, `type`, or `values`: galaxies is how many have another
        value, among those in both; largest and typical (median) the absolute differences
        of numbers that changed; example the galaxy with the largest. Galaxies that are in
        one release only stand in rows of the column `iauname`.
        """
        rows = [*self._galaxies()]
        shared = self._shared()
        for start in range(0, len(shared), _TOGETHER):
            rows += self._values(shared[start : start + _TOGETHER])
        rows += self._columns()
        return pa.Table.from_pylist(
            [dict(zip(COLUMNS.names, row, strict=True)) for row in rows], COLUMNS
        )

    def by_galaxy(self) -> pa.Table:
        """Every value that changed (`GALAXIES`), by galaxy, then in the order of the columns.

        change: `added`, `removed`, or `value`, of which before and after are text and
        difference is after less before where both are numbers.
        """
        parts = [
            f"SELECT {_KEY}, '{change}' AS change, NULL AS \"column\", NULL AS before, "
            f"NULL AS after, NULL AS difference, -1 AS place FROM {here} "
            f"ANTI JOIN {there} USING ({_KEY})"
            for here, there, change in (("a", "b", "removed"), ("b", "a", "added"))
        ]
        for place, name in enumerate(self._shared()):
            column = _quoted(name)
            gap = f"b.{column} - a.{column}" if self._is_number(name) else "NULL"
            parts.append(
                f"SELECT {_KEY}, 'value', {_text(name)}, CAST(a.{column} AS VARCHAR), "
                f"CAST(b.{column} AS VARCHAR), {gap}, {place} FROM a JOIN b USING ({_KEY}) "
                f"WHERE a.{column} IS DISTINCT FROM b.{column}"
            )
        sql = " UNION ALL ".join(parts)
        table = self._connection.execute(
            f"SELECT * EXCLUDE (place) FROM ({sql}) ORDER BY {_KEY}, place"
        ).to_arrow_table()
        return table.cast(GALAXIES)

    def _shared(self) -> list[str]:
        """Columns of both with values that can be compared."""
        a, b = self._schemas
        return [
            name
            for name in a.names
            if name != _KEY and name in b.names and a.field(name).type == b.field(name).type
        ]

    def _is_number(self, name: str) -> bool:
        kind = self._schemas[0].field(name).type
        return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))

    def _galaxies(self) -> Iterator[Sequence[object]]:
        for here, there, change in (("a", "b", "removed"), ("b", "a", "added")):
            count, example = self._connection.execute(
                f"SELECT count(*), min({_KEY}) FROM {here} ANTI JOIN {there} USING ({_KEY})"
            ).fetchone() or (0, None)
            if count:
                yield _KEY, change, count, None, None, example

    def _columns(self) -> Iterator[Sequence[object]]:
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

    def _values(self, names: Sequence[str]) -> Iterator[Sequence[object]]:
        """Rows of some shared columns, those that changed."""
        terms = []
        for i, name in enumerate(names):
            column = _quoted(name)
            changed = f"a.{column} IS DISTINCT FROM b.{column}"
            gap = f"abs(a.{column} - b.{column})" if self._is_number(name) else "NULL::DOUBLE"
            # equal infinities differ by NaN, which is no change
            gap = f"CASE WHEN {changed} THEN {gap} END"
            terms.append(
                f"count(*) FILTER ({changed}) AS n{i}, max({gap}) AS m{i}, median({gap}) AS t{i}, "
                f"arg_max(a.{_KEY}, coalesce({gap}, 0)) FILTER ({changed}) AS e{i}"
            )
        sql = f"SELECT {', '.join(terms)} FROM a JOIN b USING ({_KEY})"
        found = self._connection.execute(sql).fetchone() or ()
        for i, name in enumerate(names):
            count, largest, typical, example = found[4 * i : 4 * i + 4]
            if count:
                yield name, "values", count, largest, typical, example


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
