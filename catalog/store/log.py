"""DuckDB's write-ahead log, and whether the one beside a file is the file's own.

DuckDB keeps commits in `gz.duckdb.wal` until a checkpoint brings them into the file. A killed job
leaves the log behind, and whoever opens the file next replays it: also upon an older copy that was
put in the place of the file, whose rows then stand twice, or upon another catalogue. (DuckDB tells
logs apart in files that clients before 1.4 cannot read, and there not all.)

So every log of a job begins with a mark of ours, a row of `setting` named `log`: a random word, and
the word of the mark before, which has to stand in the file. Before a job's first write its mark
goes into the file by a checkpoint, so that no copy that was made earlier has it.
"""

import re
from pathlib import Path
from secrets import token_hex

import duckdb

from zoolens.catalog.errors import CatalogError

_MARK = re.compile(r"zoolens log ([0-9a-f]{16}) after ([0-9a-f]{16})\.")
_NONE = "0" * 16  # stands for the word before the first
_START = 65_536  # bytes of a log, in which its mark stands
_MARKS = "SELECT value FROM setting WHERE name = 'log'"
_DOUBLED = "SELECT 1 FROM shard GROUP BY run_id, name HAVING count(*) > 1 LIMIT 1"


def log_path(path: Path) -> Path:
    """Where DuckDB keeps the log of a file."""
    whole = path.resolve()
    return whole.with_name(whole.name + ".wal")


def has_log(path: Path) -> bool:
    """Whether there are commits that are not in the file yet."""
    try:
        return log_path(path).stat().st_size > 0
    except OSError:
        return False


def begin_log(connection: duckdb.DuckDBPyConnection, path: Path, *, first: bool) -> None:
    """Commit the mark that a log has to begin with, if there is no log.

    first: before a job's first write, which also ends a log that is there.
    """
    if first:
        _checkpoint(connection)
        if not has_log(path):
            _mark(connection)
            _checkpoint(connection)
    if not has_log(path):
        _mark(connection)


def _mark(connection: duckdb.DuckDBPyConnection) -> None:
    standing = _words(connection)
    before = next((word for word in standing if word not in standing.values()), _NONE)
    connection.execute("BEGIN")
    connection.execute(
        "DELETE FROM setting WHERE name = 'log' AND NOT contains(value, ?)", [f"log {before} "]
    )
    value = f"zoolens log {token_hex(8)} after {before}."
    connection.execute("INSERT INTO setting VALUES ('log', ?)", [value])
    connection.execute("COMMIT")


def _checkpoint(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("CHECKPOINT")
    except duckdb.TransactionException:  # another connection of this process is in its way
        return


def _words(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The words of the marks that stand in a catalogue, each with the one before it."""
    marks = (_MARK.search(str(value)) for (value,) in connection.execute(_MARKS).fetchall())
    return {mark[1]: mark[2] for mark in marks if mark}


def refuse_foreign_log(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Raises `CatalogError` if the log beside a file was not left by that file.

    connection: to the file, read-only, which has replayed the log in memory alone.
    """
    if not has_log(path):
        return
    with log_path(path).open("rb") as file:
        mark = _MARK.search(file.read(_START).decode("latin-1"))
    try:
        if mark is None:  # of another client, or of a Zoolens without marks
            own = connection.execute(_DOUBLED).fetchone() is None
        else:
            marks = [str(value) for (value,) in connection.execute(_MARKS).fetchall()]
            own = marks.count(mark[0]) == 1 and (
                len(marks) == 1 if mark[2] == _NONE else mark[2] in _words(connection)
            )
    except duckdb.CatalogException:  # no tables yet
        return
    if not own:
        log = log_path(path)
        raise CatalogError(
            f"{log} was not left by the {path.name} that is beside it, and together they would "
            f"give wrong rows; nothing was changed. Move {log.name} away, or restore the copy "
            "with its own .wal"
        )
