"""Adopting: into the catalogue that was planned for, what is sound, once."""

import shutil
from pathlib import Path

import pytest

from tests.jobs.test_predict import imaged
from tests.made.job_arrays import GALAXIES, MASKED, World, rows
from tests.made.job_arrays import world as world
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts import taking_in
from zoolens.catalog.parts.files import part_files
from zoolens.catalog.store.store import Store
from zoolens.jobs import explain, predict
from zoolens.jobs.adopt_parts import PartsMissing, adopt_parts
from zoolens.jobs.compute import compute

pytestmark = pytest.mark.slow


@pytest.fixture
def catalog(world: World, tmp_path: Path) -> Path:
    return world.copy(tmp_path)


@pytest.fixture
def parts(world: World, catalog: Path, tmp_path: Path) -> Path:
    """A folder with all parts computed."""
    folder = tmp_path / "parts"
    folder.mkdir()
    predict.plan(catalog, folder, world.model, MASKED)
    compute("predict", folder, 1, 1, lambda _: None)
    return folder


def test_it_goes_on_where_it_was_interrupted(
    world: World, catalog: Path, parts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_in, "TOGETHER", 1)
    commit = Store.commit
    committed: list[str] = []

    def interrupted(self: Store, run: object, name: str, tables: object) -> None:
        if len(committed) == 2:
            raise KeyboardInterrupt
        committed.append(name)
        commit(self, run, name, tables)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            adopt_parts(catalog, parts)
    assert len(part_files(parts)) == 1
    assert adopt_parts(catalog, parts).galaxies == GALAXIES - 8
    assert rows(catalog)["posterior"] == rows(world.whole)["posterior"]


def test_what_was_committed_but_not_noted_is_not_committed_twice(
    world: World, catalog: Path, parts: Path, tmp_path: Path
) -> None:
    kept = shutil.copytree(parts, tmp_path / "kept")
    adopt_parts(catalog, parts)
    before = rows(catalog)
    for file in part_files(kept):
        shutil.copyfile(file, parts / file.name)
    (noted,) = parts.glob("adopted-*.json")
    noted.unlink()
    assert not adopt_parts(catalog, parts).changed
    assert rows(catalog) == before
    assert part_files(parts) == []


def test_missing_and_damaged_parts_are_named(catalog: Path, parts: Path) -> None:
    first, second, last = part_files(parts)
    second.write_bytes(second.read_bytes()[:-1])
    last.unlink()
    with pytest.raises(PartsMissing) as error:
        adopt_parts(catalog, parts)
    assert str(error.value) == (
        "adopted 4 galaxies, 4 in all; part 1 of 1 is not there, or not whole; damaged: "
        f"{second.name}; compute what is missing (zoolens predict --part 1/1 --out {parts}), and "
        "adopt again"
    )
    assert compute("predict", parts, 1, 1, lambda _: None).computed == GALAXIES - 4
    assert adopt_parts(catalog, parts).total == GALAXIES
    assert not first.exists()


def test_another_catalogue_is_refused(world: World, catalog: Path, parts: Path) -> None:
    other = imaged(catalog.with_name("other.duckdb"), 2)
    copy = Path(shutil.copyfile(world.bare, catalog.with_name("copy.duckdb")))
    for path in (other, copy):
        with pytest.raises(CatalogError, match="was planned for another catalogue"):
            adopt_parts(path, parts)
    assert len(part_files(parts)) == 3
    catalog.unlink()  # moved: the copy is the catalogue now
    assert adopt_parts(copy, parts).galaxies == GALAXIES
    with pytest.raises(CatalogError, match="was planned for another catalogue"):
        adopt_parts(other, parts)


def test_an_older_copy_that_is_back_lacks_its_parts(
    world: World, catalog: Path, parts: Path
) -> None:
    adopt_parts(catalog, parts)
    shutil.copyfile(world.bare, catalog)
    with pytest.raises(PartsMissing, match="adopted 0 galaxies, 0 in all; part 1 of 1"):
        adopt_parts(catalog, parts)
    assert compute("predict", parts, 1, 1, lambda _: None).computed == GALAXIES
    assert adopt_parts(catalog, parts).galaxies == GALAXIES


def test_galaxies_that_changed_since_are_left_out(
    world: World, catalog: Path, parts: Path, tmp_path: Path
) -> None:
    with Store.open(catalog) as store:
        store.execute("UPDATE image SET sha256 = repeat('e', 64) WHERE galaxy_id = 2")
        store.execute("UPDATE galaxy SET iauname = 'Another' WHERE galaxy_id = 5")
    report = adopt_parts(catalog, parts)
    assert (report.galaxies, report.total) == (GALAXIES - 2, GALAXIES - 2)
    assert report.notes == (
        "1 galaxies have another image by now, and were left out: do zoolens predict",
        "1 galaxies are not in the catalogue any more, and left out",
    )
    assert not adopt_parts(catalog, parts).changed


def test_a_folder_without_a_plan_is_refused(catalog: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no plan in"):
        adopt_parts(catalog, tmp_path)


def test_maps_of_predictions_that_are_not_there_are_refused(
    world: World, catalog: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    folder.mkdir()
    predict.predict(catalog, world.model, MASKED)
    explain.plan(catalog, folder)
    shutil.copyfile(world.bare, catalog)
    with pytest.raises(CatalogError, match=r"explains predictions that .* does not have"):
        adopt_parts(catalog, folder)
