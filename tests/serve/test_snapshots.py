import asyncio
from pathlib import Path

import pytest

from tests.made.catalogues import add_galaxies, catalogue, random_counts
from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.serve.service import Service
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.serve.snapshots import JOBS, Snapshot, follow, held
from zoolens.catalog.store.store import Store


def _galaxies(path: Path) -> int:
    with Store.open(path, read_only=True) as store:
        return int(store.value("SELECT count(*) FROM galaxies"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(tmp_path / "gz.duckdb", random_counts(5))


def test_a_copy_is_renewed_when_the_catalogue_changes(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    with held(folder):
        snapshot = Snapshot(path, folder)
        assert not snapshot.renew()
        with Store.open(path) as store:
            add_galaxies(store, 2)
        with snapshot.path.open("rb") as old:
            assert snapshot.renew()
            assert _galaxies(snapshot.path) == 7
            assert old.read(12)[8:] == b"DUCK"  # who reads the old one reads on
    assert {file.name for file in folder.iterdir()} == {"catalog.duckdb", "server.lock"}


def test_a_folder_is_of_one_server(tmp_path: Path) -> None:
    with held(tmp_path / "served"), pytest.raises(CatalogBusy, match="another zoolens serve"):
        held(tmp_path / "served").__enter__()
    with held(tmp_path / "served"):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(CatalogError, match="cannot be written to"):
        held(tmp_path / "file").__enter__()


def test_a_newer_catalogue_is_served_and_a_damaged_one_is_not(path: Path, tmp_path: Path) -> None:
    said: list[str] = []

    async def until(count: int) -> None:
        async with asyncio.timeout(60):
            while len(said) < count:
                await asyncio.sleep(0.02)

    async def run() -> None:
        snapshot = Snapshot(path, tmp_path)
        service = Service(snapshot.path, tmp_path / "jobs", Settings())
        task = asyncio.create_task(follow(snapshot, service, 0.05, said.append))
        with Store.open(path) as store:
            add_galaxies(store, 2)
        await until(1)
        path.write_bytes(b"no catalogue")
        await until(2)
        task.cancel()
        assert _galaxies(snapshot.path) == 7

    asyncio.run(run())
    assert said[0].startswith("a newer catalogue is served")
    assert said[1].startswith("still as of")


@pytest.mark.parametrize("given", [b"", b"words that are no catalogue\n" * 1000])
def test_what_is_no_catalogue_is_said_to_be_none_and_leaves_no_folder(
    given: bytes, tmp_path: Path
) -> None:
    path, folder = tmp_path / "text", tmp_path / "text-served"
    path.write_bytes(given)
    said = f"^{path} is no catalogue, nor any DuckDB file"
    with pytest.raises(CatalogError, match=said), held(folder):
        Snapshot(path, folder)
    assert not folder.exists()


def test_a_folder_with_jobs_stays_whatever_fails(tmp_path: Path) -> None:
    folder = tmp_path / "served"

    def begin_and_fail() -> None:
        with held(folder):
            (folder / JOBS).mkdir()
            Snapshot(tmp_path / "absent", folder)

    with pytest.raises(CatalogError, match="no catalogue"):
        begin_and_fail()
    assert (folder / JOBS).exists()
