"""A connection: its answers, its transactions, and what it says where the file fails."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tests.made.catalogues import blank, catalogue, random_counts
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import Piece, write_survey
from zoolens.catalog.trees.published import get_tree


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = blank(tmp_path / "gz.duckdb")
    with Store.open(path) as store:
        store.set_tree(get_tree("gzd5"))
    return path


def test_jobs_keep_less_memory_than_queries(path: Path) -> None:
    def limit(*, read_only: bool) -> int:
        with Store.open(path, read_only=read_only) as store:
            stated = store.value("SELECT current_setting('memory_limit')")
            threads = int(store.value("SELECT current_setting('threads')"))
        number, unit = stated.split()
        size = float(number) * 1024 ** ["bytes", "KiB", "MiB", "GiB", "TiB"].index(unit)
        assert read_only or size <= 1024**2 * max(512, 256 * threads)
        return round(size)

    assert limit(read_only=False) < limit(read_only=True)


def test_damage_is_told_in_one_line(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(20_000))
    whole = path.read_bytes()
    told = []
    for place in range(300_000, len(whole), len(whole) // 5):
        harmed = bytearray(whole)
        for at in range(place, min(place + 2000, len(whole))):
            harmed[at] ^= 0x55
        path.write_bytes(harmed)
        try:
            with Store.open(path, read_only=True) as store:
                store.arrow("SELECT * FROM votes")
        except CatalogError as error:
            told.append(str(error))
    assert told
    assert [line for line in told if "restore it from a copy" not in line or "\n" in line] == []


@pytest.mark.parametrize("path", ["nowhere/gz.duckdb", "."])
def test_a_place_that_cannot_be_is_told(tmp_path: Path, path: str) -> None:
    with pytest.raises(CatalogError, match="folder"):
        Store.open(tmp_path / path, create=True)


def test_a_missing_catalogue_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="zoolens ingest VOTES"):
        Store.open(tmp_path / "gz.duckdb", read_only=True)
    assert not (tmp_path / "gz.duckdb").exists()


def test_answers_come_in_four_ways(path: Path) -> None:
    sql = "SELECT range AS n, 'x' AS x FROM range(?) ORDER BY n"
    with Store.open(path, read_only=True) as store:
        rows = store.rows(sql, [5])
        assert rows == [(n, "x") for n in range(5)]
        assert store.arrow(sql, [5]).to_pydict() == {"n": [*range(5)], "x": ["x"] * 5}
        assert store.value(sql, [5]) == 0
        assert store.value(sql, [0]) is None
        batches = [batch.to_pydict()["n"] for batch in store.batches(sql, [10_000], 3000)]
    assert [n for part in batches for n in part] == [*range(10_000)]
    assert len(batches) > 1


def test_what_is_only_appended_to_is_written_once(path: Path) -> None:
    def append(store: Store) -> int:
        blobs = pa.array([b"0123456789" * 100] * 100, pa.binary())
        numbers = {name: [1] * 100 for name in ("run_id", "galaxy_id", "samples", "answers")}
        store.insert("posterior", pa.table({**numbers, "concentrations": blobs}))
        store.execute("CHECKPOINT")
        groups = "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('posterior')"
        return int(store.value(groups))

    with Store.open(path) as store:
        assert [append(store) for _ in range(3)] == [1, 1, 1]
    with Store.open(path) as store:
        store.append_only()
        assert [append(store) for _ in range(2)] == [2, 3]
        store.reconnect()
        assert append(store) == 4


def test_statements_hold_together_or_not_at_all(path: Path) -> None:
    def broken(store: Store) -> None:
        with store.transaction():
            store.execute("INSERT INTO setting VALUES ('a', '1')")
            raise ZeroDivisionError

    with Store.open(path) as store:
        with pytest.raises(ZeroDivisionError):
            broken(store)
        assert store.rows("SELECT value FROM setting WHERE name = 'a'") == []
        with store.transaction():
            store.execute("INSERT INTO setting VALUES ('a', '2')")
        assert store.rows("SELECT value FROM setting WHERE name = 'a'") == [("2",)]


def test_a_reader_sees_what_is_committed(path: Path) -> None:
    with Store.open(path) as store, store.reader() as reader:
        with store.transaction():
            store.execute("INSERT INTO setting VALUES ('a', '1')")
            assert reader.value("SELECT count(*) FROM setting WHERE name = 'a'") == 0
        assert reader.value("SELECT count(*) FROM setting WHERE name = 'a'") == 1


def test_rows_are_appended_by_the_names_of_their_columns(path: Path) -> None:
    with Store.open(path) as store:
        store.insert("setting", pa.table({"value": ["1", "2"], "name": ["a", "b"]}))
        store.insert("setting", pa.table({"name": ["c"], "value": ["3"]}))
        found = store.rows("SELECT name, value FROM setting WHERE length(name) = 1 ORDER BY name")
    assert found == [("a", "1"), ("b", "2"), ("c", "3")]


def test_it_goes_on_after_the_file_was_opened_again(path: Path) -> None:
    with Store.open(path) as store:
        store.execute("INSERT INTO setting VALUES ('a', '1')")
        store.reconnect()
        assert store.value("SELECT value FROM setting WHERE name = 'a'") == "1"
        store.execute("INSERT INTO setting VALUES ('b', '1')")


def test_what_does_not_fit_into_memory_goes_to_the_scratch_folder(
    path: Path, tmp_path: Path
) -> None:
    scratch = tmp_path / "a 'quoted' folder"
    with Store.open(path, read_only=True) as store:
        free = store.value("SELECT current_setting('memory_limit')")
        store.bound_memory(scratch)
        assert store.value("SELECT current_setting('temp_directory')") == str(scratch)
        bound = store.value("SELECT current_setting('memory_limit')")
    assert bound != free
    with Store.open(path) as store:
        assert bound == store.value("SELECT current_setting('memory_limit')")


def test_a_file_is_closed_whatever_happens(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Store.open(path):
        raise ZeroDivisionError
    assert path.with_name("gz.duckdb.wal").exists() is False
    with duckdb.connect(str(path), config={"threads": 1}):  # settings of its own: nobody holds it
        pass


def test_what_fails_while_rows_arrive_is_told_in_one_line(tmp_path: Path) -> None:
    sql = (
        "SELECT CASE WHEN i < 290000 THEN i ELSE error('checksum') END AS i FROM range(300000) t(i)"
    )
    with Store.open(catalogue(tmp_path / "gz.duckdb", random_counts(3))) as store:
        batches = store.batches(sql, [], 1000)
        assert batches.schema.names == ["i"]
        with pytest.raises(CatalogError, match=r"is damaged .*; restore") as caught:
            list(batches)
    assert "\n" not in str(caught.value)


def test_a_folder_says_what_to_give_instead(tmp_path: Path) -> None:
    def said(folder: Path) -> str:
        with pytest.raises(CatalogError, match=r"is a folder without a survey\.json; ") as caught:
            Store.open(folder)
        return str(caught.value).partition("; ")[2]

    assert said(tmp_path).startswith("--catalog takes a file such as gz.duckdb, or the folder")
    blank(tmp_path / "gz.duckdb")
    assert said(tmp_path) == f"did you mean --catalog {tmp_path / 'gz.duckdb'}?"
    (tmp_path / "dr1").mkdir()
    survey = write_survey(tmp_path / "dr1", [Piece(0, 5)]).folder
    assert said(tmp_path) == (
        f"give one of the catalogues in it, such as --catalog {tmp_path / 'gz.duckdb'}: "
        "gz.duckdb, dr1"
    )
    (survey / "Norder=0").mkdir()
    assert said(survey / "Norder=0") == f"it lies in a survey: --catalog {survey}"
