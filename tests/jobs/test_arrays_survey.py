"""Job arrays over a survey: the rows of its jobs, whatever becomes of a piece meanwhile."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.jobs.test_predict import SMALL, imaged
from tests.made.checkpoints import save, zoobot_tree
from tests.made.job_arrays import rows
from tests.made.surveys import cut_finely
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError, Told
from zoolens.catalog.parts import cells
from zoolens.catalog.parts.files import part_files
from zoolens.catalog.parts.plans import read_plans
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import name_of_piece, read_survey
from zoolens.jobs import everywhere, predict
from zoolens.jobs.adopt_parts import PartsMissing
from zoolens.jobs.arrays import explain_part, predict_part
from zoolens.jobs.explain_survey import explain
from zoolens.jobs.settings import Inference, Which

pytestmark = pytest.mark.slow

MASKED = Inference(samples=3, seed=5, view=SMALL, engine="torch")


class World:
    """model: a checkpoint; bare: a survey of pieces of 2, 8 and no galaxies with images, of three
    cells; whole: after its jobs predicted and explained them."""

    def __init__(self, folder: Path) -> None:
        zoobot = zoobot_tree("test_resnet", awake=True, dropout_rate=0.3)
        self.model = str(save(zoobot, folder / "small.ckpt"))
        catalogue = imaged(folder / "gz.duckdb", 10, without=2)
        self.bare = cut_finely(catalogue, folder / "bare", 6)
        self.whole = Path(shutil.copytree(self.bare, folder / "whole"))
        everywhere.predict(self.whole, self.model, MASKED, batch_size=4)
        explain(self.whole, Which(everything=True), figures=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells.cells, "__defaults__", (4,))
        patch.setattr("zoolens.jobs.explain.BATCH", 4)
        yield World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def survey(world: World, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world.bare, tmp_path / "dr8"))


def made(survey: Path) -> dict[str, dict[str, pa.Table]]:
    """All rows of the pieces, in the order they lie in."""
    return {name_of_piece(path): rows(path) for path in read_survey(survey).paths}


def planned(world: World, survey: Path, parts: Path, *computed: int, of: int = 3) -> None:
    """A plan of predictions, and some of its parts."""
    with pytest.warns(Told, match=r"not Norder=6/Npix=18160: no galaxy of the piece has an image"):
        predict_part(survey, parts, None, {}, [world.model], None, MASKED)
    for number in computed:
        predict_part(survey, parts, (number, of), {})


def test_rows_are_those_of_the_survey(world: World, survey: Path, tmp_path: Path) -> None:
    parts, maps, asked = tmp_path / "parts", tmp_path / "maps", ["--catalog", survey, "--out"]
    done = zoolens(
        *("predict", *asked, parts, "--model", world.model, "--samples", 3, "--seed", 5),
        *("--size", 64, "--engine", "torch"),
    )
    assert done.exit_code == 0, done.output
    assert "10 galaxies wait, to be cut into at most 3 parts; 1 would do" in done.output
    away = survey.rename(tmp_path / "away")  # nobody needs it
    for part, galaxies in (("2/2", 8), ("1/2", 2)):
        done = zoolens("predict", "--part", part, "--out", parts, "--catalog", away)
        assert f"part {part[0]} of 2: {galaxies} galaxies, {galaxies} in all" in done.output
    away.rename(survey)
    done = zoolens("adopt", parts, "--catalog", survey)
    assert done.exit_code == 0, done.output
    assert "10 galaxies, 10 in all; 0 refused; in 2 of 3 pieces" in done.output
    explain_part(survey, maps, (1, 1), {})
    everywhere.adopt_parts(survey, maps)
    assert made(survey) == made(world.whole)
    for one, two in zip(read_survey(survey).paths, read_survey(world.whole).paths, strict=True):
        with Store.open(one, read_only=True) as here, Store.open(two, read_only=True) as there:
            sql = "SELECT job, config, model_sha256, status FROM run ORDER BY run_id"
            assert here.rows(sql) == there.rows(sql)
    assert not everywhere.adopt_parts(survey, maps).changed
    with pytest.warns(Told):
        again = predict_part(survey, parts, None, {}, [world.model], None, MASKED)
    assert again.summary == "no galaxy waits: there is nothing to compute"
    assert read_plans(parts) is None


def test_missing_parts_are_numbered_through_all_pieces(
    world: World, survey: Path, tmp_path: Path
) -> None:
    parts = tmp_path / "parts"
    planned(world, survey, parts, 2)
    said = r"adopted 4 galaxies, 4 in all; parts 1,3 of 3 are not there, .*--part 1/3 --out .*parts"
    with pytest.raises(PartsMissing, match=said):
        everywhere.adopt_parts(survey, parts)
    for number in (1, 3):
        predict_part(survey, parts, (number, 3), {})
    (one,) = part_files(parts / "Norder=6" / "Npix=18151")
    one.write_bytes(one.read_bytes()[:-1])
    with pytest.raises(PartsMissing, match=rf"8 in all; part 1 of 3 is .*damaged: {one.name}; "):
        everywhere.adopt_parts(survey, parts)
    predict_part(survey, parts, (1, 1), {})
    assert everywhere.adopt_parts(survey, parts).changed
    found, expected = made(survey), made(world.whole)
    for name, tables in expected.items():
        key = [("galaxy_id", "ascending")]  # of the same piece the second part came first
        assert found[name]["posterior"].sort_by(key) == tables["posterior"].sort_by(key)


def test_it_goes_on_in_the_piece_where_it_was_interrupted(
    world: World, survey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = tmp_path / "parts"
    planned(world, survey, parts, 1, 2, 3)
    commit, committed = Store.commit, list[Path]()

    def interrupted(self: Store, *args: Any) -> None:
        if committed:
            raise KeyboardInterrupt
        committed.append(self.path)
        commit(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "commit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            everywhere.adopt_parts(survey, parts)
    assert name_of_piece(committed[0]) == "Norder=6/Npix=18151"
    report: Any = everywhere.adopt_parts(survey, parts)
    assert (report.whole.galaxies, report.whole.total) == (8, 10)
    found, expected = made(survey), made(world.whole)
    assert {name: one["posterior"] for name, one in found.items()} == {
        name: one["posterior"] for name, one in expected.items()
    }


def test_a_piece_that_is_not_as_planned_is_named_and_the_others_have_their_parts(
    world: World, survey: Path, tmp_path: Path
) -> None:
    parts, (first, second, _) = tmp_path / "parts", read_survey(survey).paths
    planned(world, survey, parts, 1, 2, 3)
    kept = first.rename(tmp_path / "kept.duckdb")
    done = zoolens("adopt", parts, "--catalog", survey)
    assert done.exit_code == 1
    assert "8 galaxies, 8 in all; 0 refused; in 1 of 3 pieces" in done.output
    assert f"{first}, a piece of the survey, is missing; restore it from a copy" in done.output
    imaged(first, 2)
    report: Any = everywhere.adopt_parts(survey, parts)
    (said,) = report.hindered
    assert "Npix=18151 was planned for another catalogue" in said
    shutil.copyfile(kept, first)
    everywhere.adopt_parts(survey, parts)
    assert made(survey)["Norder=6/Npix=18151"]["posterior"].num_rows == 2
    assert part_files(second.parent) == []


def test_a_plan_that_was_changed_in_one_piece_keeps_no_other_from_its_parts(
    world: World, survey: Path, tmp_path: Path
) -> None:
    parts = tmp_path / "parts"
    planned(world, survey, parts, 1, 2, 3)
    (parts / "Norder=6" / "Npix=18149" / "plan.json").write_text("{}")
    report: Any = everywhere.adopt_parts(survey, parts)
    assert report.whole.galaxies == 2
    (said,) = report.hindered
    assert "Npix=18149/plan.json is damaged" in said
    with pytest.raises(CatalogError, match=r"Npix=18149/plan.json is damaged"):
        predict_part(survey, parts, (3, 3), {})
    assert not predict_part(survey, parts, (1, 3), {}).changed, "that of a piece that is whole"


def test_a_survey_and_a_catalogue_are_not_confused(
    world: World, survey: Path, tmp_path: Path
) -> None:
    parts, alone, first = tmp_path / "parts", tmp_path / "alone", read_survey(survey).paths[0]
    planned(world, survey, parts, 1)
    predict_part(first, alone, None, {}, [world.model], None, MASKED)
    with pytest.raises(CatalogError, match=r"was planned for a survey, .*dr8, and .* is one cat"):
        everywhere.adopt_parts(first, parts)
    with pytest.raises(CatalogError, match=r"was planned for one catalogue, and .*dr8 is a surv"):
        everywhere.adopt_parts(survey, alone)
    # a piece can be adopted by itself, by another process than the others
    assert everywhere.adopt_parts(first, parts / "Norder=6" / "Npix=18151").changed


def test_either_all_pieces_are_planned_or_none(
    world: World, survey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, (_, second, _) = tmp_path / "parts", read_survey(survey).paths
    kept = second.rename(tmp_path / "kept.duckdb")
    with pytest.raises(CatalogError, match=rf"all pieces of .*dr8 are needed: {second}, a piece"):
        predict_part(survey, parts, None, {}, [world.model], None, MASKED)
    assert [file.name for file in parts.rglob("*") if file.is_file()] == [".planning"]
    kept.rename(second)

    from zoolens.jobs import arrays

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(arrays, "write_plans", killed)
        patch.setattr(arrays, "remove_plan", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            predict_part(survey, parts, None, {}, [world.model], None, MASKED)
    other = Inference(samples=4, view=SMALL, engine="torch")
    with pytest.raises(CatalogError, match=r"Npix=18151/plan.json is another plan; remove it"):
        predict_part(survey, parts, None, {}, [world.model], None, other)
    planned(world, survey, parts)
    with pytest.raises(CatalogError, match="with --samples 3, not 4"):
        predict_part(survey, parts, (1, 3), {"samples": 4})


def test_a_survey_without_images_has_no_plan(world: World, survey: Path, tmp_path: Path) -> None:
    for path in read_survey(survey).paths:
        with Store.open(path) as store:
            store.execute("DELETE FROM image")
    with pytest.raises(CatalogError, match=r"no piece of .* has what this needs"):
        predict_part(survey, tmp_path / "parts", (1, 3), {}, [world.model], None, MASKED)
    assert predict.model_unless_named(path) == "bundled"
