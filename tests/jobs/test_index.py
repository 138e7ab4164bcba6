"""The index files: built once, rebuilt when outdated or damaged, never half written."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import (
    add_galaxies,
    add_predictions,
    add_votes,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.paths import codes_path, index_path
from zoolens.catalog.similarity.counterparts import find_counterparts
from zoolens.catalog.similarity.files import KINDS, load_codes, load_index
from zoolens.catalog.store.store import Store
from zoolens.jobs.index import index

pytestmark = pytest.mark.slow


@pytest.fixture
def gz(tmp_path: Path) -> Path:
    return catalogue(
        tmp_path / "gz.duckdb", random_counts(30), concentrations=random_concentrations(30)
    )


def test_index_records_what_it_wrote(gz: Path) -> None:
    report = index(gz)
    assert report.changed
    assert report.galaxies == 30
    with Store.open(gz, read_only=True) as store:
        config = store.run(report.run_id).config
        assert store.newest_run("index") == report.run_id
        for kind in KINDS:
            data = index_path(gz, kind).read_bytes()
            assert config["sha256"][kind] == hashlib.sha256(data).hexdigest()
            assert len(load_index(store, kind)) == 30
    assert sorted(path.name for path in gz.parent.iterdir()) == [
        "gz.duckdb",
        "gz.observed.arrow",
        "gz.predicted.arrow",
    ]


def test_again_nothing_changes(gz: Path) -> None:
    first = index(gz)
    stamps = [index_path(gz, kind).stat().st_mtime_ns for kind in KINDS]
    second = index(gz)
    assert not second.changed
    assert (second.run_id, second.galaxies) == (first.run_id, 30)
    assert [index_path(gz, kind).stat().st_mtime_ns for kind in KINDS] == stamps


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["gone", "cut", "one bit", "swapped"])
def test_damaged_files_are_rebuilt_as_they_were(gz: Path, kind: str, damage: str) -> None:
    first = index(gz)
    path = index_path(gz, kind)
    whole = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(whole[:-7])
    elif damage == "one bit":
        path.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    else:
        (other,) = set(KINDS) - {kind}
        path.write_bytes(index_path(gz, other).read_bytes())
    again = index(gz)
    assert again.changed
    assert again.run_id == first.run_id  # the same work is the same run
    assert path.read_bytes() == whole
    assert not index(gz).changed


@pytest.mark.parametrize("news", ["votes", "predictions", "more predictions"])
def test_news_are_indexed_in_a_run_of_their_own(gz: Path, news: str) -> None:
    first = index(gz)
    with Store.open(gz) as store:
        if news == "votes":
            add_votes(store, random_counts(2))
        elif news == "predictions":
            add_predictions(store, random_concentrations(20, seed=9), seed=1)
        else:
            add_votes(store, random_counts(2))
            add_predictions(
                store, random_concentrations(2), galaxy_ids=[30, 31], seed=0, shard="more"
            )
    second = index(gz)
    assert second.changed
    assert second.run_id > first.run_id
    assert second.galaxies == {"votes": 30, "predictions": 20, "more predictions": 32}[news]
    assert not index(gz).changed


def test_blocks_do_not_change_what_is_found(gz: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    query, weights = np.random.default_rng(0).random((2, 10))
    found = []
    for size in (30, 7):
        monkeypatch.setattr("zoolens.jobs.index.BLOCK", size)
        for kind in KINDS:
            index_path(gz, kind).unlink(missing_ok=True)
        index(gz)
        with Store.open(gz, read_only=True) as store:
            found.append([load_index(store, kind).search(query, weights, 9) for kind in KINDS])
    for (ids, scores), (others, their) in zip(*found, strict=True):
        np.testing.assert_array_equal(ids, others)
        np.testing.assert_array_equal(scores, their)


def test_a_copied_catalogue_keeps_its_index(gz: Path, tmp_path: Path) -> None:
    """Copies have another time of change: their checksum tells."""
    index(gz)
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in (gz, *(index_path(gz, kind) for kind in KINDS)):
        shutil.copyfile(file, folder / file.name)
    with Store.open(folder / gz.name, read_only=True) as store:
        assert len(load_index(store, "observed")) == 30


def test_killed_before_the_ledger_knew(gz: Path) -> None:
    """Files there, run not complete: as after a kill between the two."""
    first = index(gz)
    with Store.open(gz) as store:
        store.execute("UPDATE run SET status = 'running' WHERE run_id = ?", [first.run_id])
    again = index(gz)
    assert again.changed
    assert again.run_id == first.run_id
    assert not index(gz).changed


def test_nothing_to_index(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(3))
    with pytest.raises(CatalogError, match="zoolens predict"):
        index(path)


def test_a_galaxy_without_votes_is_in_the_predicted_index_alone(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(2), concentrations=random_concentrations(2)
    )
    with Store.open(path) as store:
        add_galaxies(store, 1)
        add_predictions(store, random_concentrations(3), seed=7)
    report = index(path)
    assert (report.galaxies, report.voted) == (3, 2)
    assert report.summary.endswith(
        "2 galaxies with votes and predictions, 1 with predictions alone"
    )
    with Store.open(path, read_only=True) as store:
        assert load_index(store, "observed").galaxy_id.tolist() == [0, 1]
        assert load_index(store, "predicted").galaxy_id.tolist() == [0, 1, 2]


def test_a_file_that_cannot_be_replaced(gz: Path) -> None:
    index_path(gz, "predicted").mkdir()
    with pytest.raises(CatalogError, match=r"gz.predicted.arrow could not be written"):
        index(gz)
    with Store.open(gz, read_only=True) as store, pytest.raises(CatalogError, match="no complete"):
        store.newest_run("index")
    assert not list(gz.parent.glob(".*part"))


def test_an_up_to_date_index_needs_no_writing(gz: Path) -> None:
    """A reader beside another reader: `similar` can be served from a snapshot."""
    index(gz)
    with Store.open(gz, read_only=True):
        assert not index(gz).changed


def test_one_galaxy(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", np.ones((1, 10)), concentrations=random_concentrations(1)
    )
    assert index(path).galaxies == 1


def test_codes_are_made_once_and_again_where_damaged(gz: Path) -> None:
    first = index(gz, approximate=True)
    assert first.changed
    assert set(first.codes) == set(KINDS)
    assert "of the best ten observed found among" in first.summary
    again = index(gz, approximate=True)
    assert not again.changed
    assert again.codes == first.codes
    path = codes_path(gz, "predicted")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with (
        Store.open(gz, read_only=True) as store,
        pytest.raises(CatalogError, match="index --approximate"),
    ):
        load_codes(store, "predicted")
    assert index(gz, approximate=True).changed
    assert path.read_bytes() == whole
    with Store.open(gz, read_only=True) as store:
        found = find_counterparts(store, int(np.flatnonzero(random_counts(30)[:, 0])[0]), 0, k=3)
        near = find_counterparts(
            store, int(np.flatnonzero(random_counts(30)[:, 0])[0]), 0, k=3, approximate=True
        )
    assert near == found  # all of them are ranked
