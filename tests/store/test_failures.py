"""Each failure of DuckDB has its true sentence, in one line."""

import errno
import fcntl
from pathlib import Path

import duckdb
import pytest

from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.store.failures import read_failure, write_failure
from zoolens.catalog.store.store import Store

LOCK = 'IO Error: Could not set lock on file "/x/gz.duckdb": '
CORRUPT = "IO Error: Corrupt database file: computed checksum 1 does not match stored checksum 2"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (duckdb.IOException(CORRUPT), "is damaged .*restore"),
        (duckdb.FatalException(f"database has been invalidated: {CORRUPT}"), "is damaged"),
        (duckdb.InternalException("INTERNAL Error: nothing there"), "is damaged"),
        (duckdb.SerializationException("Failed to deserialize"), "is damaged"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), "is damaged"),
        (duckdb.OutOfMemoryException("Out of Memory Error: no"), "more memory than it may have"),
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), "was interrupted"),
        (duckdb.IOException('Could not write file "/x": No space left'), "nor onto the disk"),
        (duckdb.FatalException("Failed: No space left on device"), "nor onto the disk"),
        (duckdb.IOException("Stale file handle"), "could not be read"),
        (duckdb.CatalogException("Table worst does not exist"), "not as Zoolens made it"),
        (duckdb.BinderException("no column named ce\n\nCandidates:"), "not as Zoolens made it"),
        (duckdb.ConversionException("Could not convert 'x'"), "not as Zoolens made it"),
        (duckdb.InvalidInputException("Malformed JSON at byte 0"), "not as Zoolens made it"),
        (duckdb.IOException('Cannot open file "/x": Permission denied'), "cannot be opened"),
    ],
)
def test_a_read_that_fails_is_told_by_its_kind(error: Exception, told: str) -> None:
    found = read_failure(Path("gz.duckdb"), error)
    with pytest.raises(CatalogError, match=told) as caught:
        raise found
    assert "\n" not in str(caught.value)
    assert ("damaged" in str(found)) == ("damaged" in told)


def test_a_write_that_fails_for_room_says_so() -> None:
    for error in (
        duckdb.TransactionException("Failed to commit: No space left"),
        duckdb.IOException("Could not write file"),
        duckdb.FatalException("Failed: File too large"),
    ):
        assert "is the disk full" in str(write_failure(Path("gz.duckdb"), error))
    assert "damaged" in str(write_failure(Path("gz.duckdb"), duckdb.IOException(CORRUPT)))


def test_a_lock_is_somebodys_or_the_file_system_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "gz.duckdb"
    path.write_bytes(b"")
    held = duckdb.IOException(f"{LOCK}Conflicting lock is held in /usr/bin/python (PID 71). See")
    busy = read_failure(path, held)
    assert isinstance(busy, CatalogBusy)
    assert busy.pid == 71
    assert "in use by /usr/bin/python (PID 71); wait" in str(busy)
    nobody = duckdb.IOException(f"{LOCK}Conflicting lock is held in PID 0. See")
    assert isinstance(read_failure(path, nobody), CatalogBusy)  # by now it can be locked

    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "lockf", refused)
    for reason in ("Conflicting lock is held in PID 0. See", "No locks available. See"):
        told = read_failure(path, duckdb.IOException(LOCK + reason))
        assert not isinstance(told, CatalogBusy)
        assert "file system without locks" in str(told)


@pytest.mark.slow
def test_a_query_that_finds_no_room_on_the_disk_is_not_called_damage(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    (tmp_path / "file").write_text("")
    with Store.open(path, read_only=True) as store:
        store.bound_memory(tmp_path / "file" / "scratch")  # no folder can be there
        store.value("SELECT 1")
        sql = "SELECT count(*) FROM (SELECT DISTINCT range, hash(range) FROM range(30000000))"
        with pytest.raises(CatalogError, match=r"memory|onto the disk") as caught:
            store.value(sql)
    assert "damaged" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("UPDATE answer SET asked_after = 'nothing_such'", "damaged"),
        ("DELETE FROM answer", "damaged .the tree .* it has no questions"),
        ("UPDATE run SET config = '{'", "damaged"),
        ("UPDATE run SET config = '[]'", "damaged"),
        ("INSERT INTO setting VALUES ('file .x', '{')", "damaged .the setting 'file .x'"),
        ("INSERT INTO setting VALUES ('file .x', '[1]')", "damaged .the setting 'file .x'"),
        ("DROP VIEW worst", "not as Zoolens made it"),
        ("ALTER TABLE loss DROP COLUMN ce", "not as Zoolens made it"),
        ("ALTER TABLE vote ALTER count TYPE VARCHAR", "not as Zoolens made it"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(tmp_path: Path, harm: str, told: str) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    with duckdb.connect(str(path)) as connection:
        connection.execute(harm)
    with Store.open(path, read_only=True) as store, pytest.raises(CatalogError, match=told):
        _ = (
            store.tree,
            store.run(1),
            store.noted("file .x"),
            store.rows("FROM worst, losses, votes"),
        )


def test_writing_to_tables_of_another_hand_is_told_in_one_line(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE shard; ALTER TABLE loss DROP COLUMN ce")
    with Store.open(path) as store:
        for sql in ("DELETE FROM shard", "UPDATE loss SET ce = 0"):
            with pytest.raises(CatalogError, match=r"not as Zoolens made it.*restore"):
                store.execute(sql)
            with pytest.raises(CatalogError, match="not as Zoolens made it"), store.transaction():
                store.execute(sql)
        assert store.value("SELECT count(*) FROM galaxy") == 3
