import shutil
from pathlib import Path

import duckdb
import pytest

from tests.made.catalogues import add_galaxies, catalogue, random_counts
from tests.store.test_snapshot import _writing
from zoolens.catalog.errors import CatalogBusy, CatalogError
from zoolens.catalog.store.log import has_log
from zoolens.catalog.store.saved import changed, save
from zoolens.catalog.store.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(tmp_path / "gz.duckdb", random_counts(400))


@pytest.mark.slow
def test_what_is_saved_while_a_job_writes_is_what_it_committed(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "saved" / "catalog.duckdb"
    out.parent.mkdir()
    with _writing(path, "1GB", 5):
        assert has_log(path)
        save(path, out)
    assert [file.name for file in out.parent.iterdir()] == [out.name]  # its log is in it
    with Store.open(out, read_only=True) as saved, Store.open(path, read_only=True) as store:
        sql = "SELECT * FROM prediction ORDER BY galaxy_id, answer_id"
        assert saved.arrow(sql).equals(store.arrow(sql))
        assert saved.value("SELECT count(DISTINCT galaxy_id) FROM prediction") == 5


def test_a_catalogue_that_is_written_to_is_another(path: Path) -> None:
    before = changed(path)
    assert changed(path) == before
    with Store.open(path) as store:
        add_galaxies(store, 1)
    assert changed(path) != before


def test_what_is_no_catalogue_is_not_saved(tmp_path: Path) -> None:
    out = tmp_path / "out.duckdb"
    with pytest.raises(CatalogError, match="no catalogue at"):
        save(tmp_path / "absent.duckdb", out)
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE TABLE x (a INTEGER)")
    with pytest.raises(CatalogError, match="no Zoolens catalogue"):
        save(other, out)
    assert not out.exists()


def test_one_that_is_cut_short_is_not_saved(path: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.duckdb"
    shutil.copyfile(path, cut)
    with cut.open("rb+") as file:
        file.truncate(cut.stat().st_size // 2)
    with pytest.raises(CatalogError):
        save(cut, tmp_path / "out.duckdb")


def test_this_process_cannot_save_what_it_has_open(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.catalog.store.saved._PATIENCE", 0.0)
    with Store.open(path, read_only=True), pytest.raises(CatalogBusy):
        save(path, tmp_path / "out.duckdb")
