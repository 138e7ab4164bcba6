"""What a folder holds, to be compared: the rows of its catalogues, and the bytes of its files."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from zoolens.catalog.runtime.files import sha256_of

# Rows in any order: a sum of their hashes, which sees what is missing, altered or there twice.
_ROWS = "SELECT count(*)::VARCHAR || ' rows, ' || coalesce(sum(hash(t)::HUGEINT), 0) FROM ({}) t"


def tables(catalog: Path) -> dict[str, str]:
    """A fingerprint of the rows of each table of a catalogue, in any order and without times."""
    with duckdb.connect(str(catalog), read_only=True) as connection:
        columns: dict[str, list[str]] = {}
        for table, column, kind in connection.execute(
            "SELECT c.table_name, column_name, data_type FROM duckdb_columns() c "
            "JOIN duckdb_tables() t USING (table_oid) WHERE NOT t.internal ORDER BY column_index"
        ).fetchall():
            columns.setdefault(table, [])
            if not kind.startswith("TIMESTAMP"):
                columns[table].append(f'"{column}"')
        found = {}
        for table, names in columns.items():
            rows = f'SELECT {", ".join(names)} FROM "{table}"'
            if table == "setting":  # these hold times, process numbers and random words
                rows += " WHERE value NOT LIKE '%\"stamp\"%' AND name NOT IN ('at work', 'log')"
            answer = connection.execute(_ROWS.format(rows)).fetchone()
            found[table] = "" if answer is None else str(answer[0])
        return found


def differing(catalog: Path, other: Path) -> str:
    """The rows in which two catalogues differ, of the first table in which they do, in words."""
    for table, rows in tables(catalog).items():
        if rows != tables(other).get(table):
            return f"table {table}: {rows}, not {tables(other).get(table)}"
    return "nothing"


def files(folder: Path, loose: Callable[[str], bool] = lambda name: False) -> dict[str, str]:
    """SHA-256 of each file below a folder by its relative name, catalogues left out.

    loose: whether only the presence of a file of that name matters.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.endswith((".duckdb", ".duckdb.wal")):
            found[name] = "there" if loose(name) else sha256_of(path)
    return found


def contents(folder: Path, loose: Callable[[str], bool] = lambda name: False) -> dict[str, str]:
    """All that a folder holds, as `tables` and `files` have it."""
    held = {f"file {name}": found for name, found in files(folder, loose).items()}
    for catalog in sorted(folder.rglob("*.duckdb")):
        held |= {f"table {name}": found for name, found in tables(catalog).items()}
    return held


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """In words, where two folders differ."""
    return [
        f"{name}: {found.get(name, 'missing')}, expected {expected.get(name, 'nothing')}"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]
