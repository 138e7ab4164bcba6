"""Opening a file: what is none, what another process holds, and what this one holds already."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog import paths
from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.store.connection import CLOSED
from zoolens.catalog.store.query import closed_query
from zoolens.catalog.store.schema import connect
from zoolens.catalog.store.store import Store

# Whether nobody has a lock on a file, which only another process can tell.
_FREE = """
import fcntl, sys
with open(sys.argv[1], "rb+") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("held")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(tmp_path / "gz.duckdb", random_counts(3))


def is_locked(path: Path) -> bool:
    command = [sys.executable, "-S", "-c", _FREE, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout == "held\n"


def _attached(path: Path, mode: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"ATTACH '{path}' AS gz {mode}")
    return connection


Holder = Callable[[Path], duckdb.DuckDBPyConnection]
HOLDERS: dict[str, Holder] = {
    "writing": lambda path: duckdb.connect(str(path)),
    "reading": lambda path: duckdb.connect(str(path), read_only=True),
    "asking": lambda path: connect(path, read_only=True, settings=CLOSED),
    "our job": lambda path: connect(path, read_only=False),
    "one thread": lambda path: duckdb.connect(str(path), config={"threads": 1}),
    "attached": lambda path: _attached(path, ""),
    "attached to read": lambda path: _attached(path, "(READ_ONLY)"),
}
SHARED, READ_ONLY = "", "open in this program, read-only, or with settings of its own; close"
OWN_SETTINGS, ATTACHED = "open in this program, .*settings of its own; close", "DETACH it there"


def _read(path: Path) -> Any:
    with Store.open(path, read_only=True) as store:
        return store.value("SELECT count(*) FROM galaxies")


def _write(path: Path) -> Any:
    with Store.open(path) as store:
        store.execute("INSERT INTO setting VALUES ('written', 'yes')")
        return store.value("SELECT count(*) FROM galaxies")


def _ask(path: Path) -> Any:
    with closed_query(path, "SELECT count(*) FROM galaxies") as answer:
        return next(iter(answer.rows))[0]


@pytest.mark.parametrize(
    ("holder", "reading", "writing"),
    [
        ("writing", SHARED, SHARED),
        ("reading", SHARED, READ_ONLY),
        ("asking", SHARED, READ_ONLY),
        ("our job", SHARED, SHARED),
        ("one thread", OWN_SETTINGS, OWN_SETTINGS),
        ("attached", ATTACHED, ATTACHED),
        ("attached to read", ATTACHED, ATTACHED),
    ],
)
@pytest.mark.parametrize("use", [_read, _write, _ask])
@pytest.mark.slow
def test_a_holder_is_joined_or_named_and_keeps_settings_and_lock(
    path: Path, holder: str, reading: str, writing: str, use: Callable[[Path], Any]
) -> None:
    settings = "SELECT name, value FROM duckdb_settings() ORDER BY ALL"
    with HOLDERS[holder](path) as held:
        before = held.execute(settings).fetchall()
        told = writing if use is _write else reading
        if told == SHARED:
            assert use(path) == 3
        else:
            with pytest.raises(CatalogError, match=told) as caught:
                use(path)
            assert "\n" not in str(caught.value)
        assert held.execute(settings).fetchall() == before
        assert is_locked(path)
    assert not is_locked(path)
    assert use(path) == 3


@contextmanager
def _asking(path: Path) -> Iterator[None]:
    with closed_query(path, "SELECT * FROM votes") as answer:
        next(iter(answer.rows))
        yield


def test_a_catalogue_is_read_while_an_answer_streams(path: Path) -> None:
    with _asking(path), _asking(path):
        assert _read(path) == 3


def test_settings_are_ours_again_when_nobody_else_is_there(path: Path) -> None:
    limit = "SELECT current_setting('memory_limit')"
    with duckdb.connect(str(path)) as held, Store.open(path) as store:
        assert store.value(limit) == held.execute(limit).fetchall()[0][0]
        as_found = store.value(limit)
    with Store.open(path) as store:
        assert store.value(limit) != as_found


def test_a_question_changes_nothing_although_its_file_is_open_for_writing(path: Path) -> None:
    with duckdb.connect(str(path)) as held:
        with (
            pytest.raises(CatalogError, match="read-only"),
            closed_query(path, "EXPLAIN ANALYZE DELETE FROM vote") as answer,
        ):
            list(answer.rows)
        assert held.execute("SELECT count(*) > 0 FROM vote").fetchall() == [(True,)]


def test_a_link_is_the_same_file(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(path)
    with duckdb.connect(str(path)):
        assert _read(link) == 3
        assert is_locked(path)


def test_a_file_that_is_open_but_not_by_duckdb_is_read(path: Path) -> None:
    with path.open("rb"):
        assert _read(path) == 3
        assert _ask(path) == 3


def test_what_is_no_catalogue_stays_as_it_is_although_open(tmp_path: Path) -> None:
    other = tmp_path / "votes.csv"
    other.write_bytes(b"")
    with other.open("rb"), pytest.raises(CatalogError, match="is no catalogue"):
        Store.open(other)
    assert other.read_bytes() == b""


def test_looking_at_a_file_leaves_its_lock(path: Path) -> None:
    with duckdb.connect(str(path)):
        assert paths.is_database(path)
        assert is_locked(path)


def test_an_older_catalogue_is_not_changed_under_its_holder(tmp_path: Path) -> None:
    older = tmp_path / "gz.duckdb"
    with duckdb.connect(str(older)) as held:
        held.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        held.execute("INSERT INTO alembic_version VALUES ('0001')")
        with pytest.raises(CatalogError, match="another connection of this program holds it"):
            Store.open(older)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"iauname,ra\nJ1,2\n" * 1000, "nor any DuckDB file"),
        (b"\0" * 20_000, "nor any DuckDB file"),
    ],
)
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "gz.duckdb"
    path.write_bytes(content)
    with pytest.raises(CatalogError, match=message):
        Store.open(path, create=True)
    assert path.read_bytes() == content


def test_a_second_process_is_refused_at_once(path: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb; c = duckdb.connect({str(path)!r}); print('held', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for read_only in (False, True):
            with pytest.raises(CatalogBusy, match=rf"in use by \S+ \(PID {holder.pid}\); wait"):
                Store.open(path, read_only=read_only)
    finally:
        holder.kill()
        holder.wait()


_LONG = """
import sys
from pathlib import Path
from zoolens.catalog.store.schema import connect
connection = connect(Path(sys.argv[1]), read_only=False)
connection.execute("SET threads = 1")
long = "SELECT count(*) FROM range(10000) a, range(9000) b WHERE sin(a.range * b.range) < 2"
print(connection.execute(long).fetchone())
"""


@pytest.mark.slow
def test_long_queries_print_nothing_of_their_own(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _LONG, str(tmp_path / "gz.duckdb")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # DuckDB draws its bar after two seconds
    assert done.stdout == "(90000000,)\n"


# What DuckDB looks at to know that it is in a notebook, and not to find there.
_NOTEBOOK = """
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
sys.modules["IPython"] = ModuleType("IPython")
sys.modules["IPython"].get_ipython = lambda: SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["ipywidgets"] = None
import duckdb
try:
    duckdb.execute("SET enable_progress_bar = false")
except duckdb.InvalidInputException as error:
    print("ipywidgets" in str(error))
from zoolens.catalog.store.schema import connect
print(connect(Path(sys.argv[1]), read_only=True).execute("SELECT count(*) FROM runs").fetchone())
"""


def test_a_notebook_without_widgets_opens_a_catalogue(path: Path) -> None:
    command = [sys.executable, "-c", _NOTEBOOK, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True\n(1,)\n", "")
