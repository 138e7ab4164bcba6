from pathlib import Path

import pytest

from tests.made.catalogues import blank, catalogue, random_counts
from zoolens.catalog.decision_tree import get_tree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store


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
