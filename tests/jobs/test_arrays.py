"""Job arrays: the rows of one process, to the bit, whoever computes them and however it ends."""

from pathlib import Path

import pytest

from tests.jobs.test_estimate import made
from tests.made.job_arrays import GALAXIES, MASKED, World, rows
from tests.made.job_arrays import world as world
from tests.made.processes import killed, started, whole
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.parts.files import part_files
from zoolens.catalog.store.store import Store
from zoolens.jobs.adopt_parts import PartsMissing, adopt_parts
from zoolens.jobs.arrays import explain_part, predict_part
from zoolens.jobs.compute import ComputeReport
from zoolens.jobs.settings import Maps

pytestmark = pytest.mark.slow


def test_rows_are_those_of_one_process(world: World, tmp_path: Path) -> None:
    catalog, parts, maps = world.copy(tmp_path), tmp_path / "parts", tmp_path / "maps"
    planned = predict_part(catalog, parts, None, {}, [world.model], None, MASKED)
    assert planned.summary == "10 galaxies wait, to be cut into at most 3 parts; 1 would do"
    hidden = catalog.rename(tmp_path / "hidden.duckdb")  # nobody needs it
    for number in (3, 1, 2):
        report = predict_part(catalog, parts, (number, 3), {})
        assert report.changed
    hidden.rename(catalog)
    assert adopt_parts(catalog, parts).summary == "10 galaxies, 10 in all; 0 refused"
    for number in (2, 1):
        explain_part(catalog, maps, (number, 2), {})
    assert adopt_parts(catalog, maps).summary == "10 galaxies, 10 in all; 0 refused"
    assert rows(catalog) == rows(world.whole)
    with Store.open(catalog, read_only=True) as one, Store.open(world.whole, read_only=True) as two:
        sql = "SELECT job, config, model_sha256, status FROM run ORDER BY run_id"
        assert one.rows(sql) == two.rows(sql)
    assert part_files(parts) == part_files(maps) == []


def test_twice_is_once(world: World, tmp_path: Path) -> None:
    catalog, parts = world.copy(tmp_path), tmp_path / "parts"
    first = predict_part(catalog, parts, (1, 1), {}, [world.model], None, MASKED)
    again = predict_part(catalog, parts, (1, 1), {}, [world.model], None, MASKED)
    assert (first.changed, again.changed) == (True, False)
    assert adopt_parts(catalog, parts).changed
    assert not adopt_parts(catalog, parts).changed
    adopted = predict_part(catalog, parts, (1, 1), {})
    assert isinstance(adopted, ComputeReport)
    assert (adopted.computed, adopted.total, adopted.adopted) == (0, GALAXIES, GALAXIES)
    assert part_files(parts) == []
    planned = predict_part(catalog, parts, None, {}, [world.model], None, MASKED)
    assert planned.summary == "no galaxy waits: there is nothing to compute"


def task(catalog: Path, parts: Path, number: int, model: str) -> None:
    """A process of an array, which makes the plan if it is the first."""
    from zoolens.catalog.parts import cells

    cells.cells.__defaults__ = (4,)
    predict_part(catalog, parts, (number, 3), {}, [model], None, MASKED)


def test_tasks_that_begin_together_share_one_plan(world: World, tmp_path: Path) -> None:
    catalog, parts = world.copy(tmp_path), tmp_path / "parts"
    tasks = [started(task, catalog, parts, number, world.model) for number in (1, 2, 3)]
    ended = [whole(one) for one in tasks]
    assert all(ended)
    assert len(part_files(parts)) == 3
    adopt_parts(catalog, parts)
    assert rows(catalog)["posterior"] == rows(world.whole)["posterior"]


def test_a_killed_task_goes_on(world: World, tmp_path: Path) -> None:
    catalog, parts = world.copy(tmp_path), tmp_path / "parts"
    predict_part(catalog, parts, None, {}, [world.model], None, MASKED)
    process = started(task, catalog, parts, 1, world.model)
    while process.is_alive() and not part_files(parts):
        process.join(0.001)
    killed(process)
    left = len(part_files(parts))
    report = predict_part(catalog, parts, (1, 1), {})
    assert isinstance(report, ComputeReport)
    assert report.computed == GALAXIES - 4 * left
    adopt_parts(catalog, parts)
    assert rows(catalog)["posterior"] == rows(world.whole)["posterior"]
    assert not [file for file in parts.iterdir() if file.name.endswith(".part")]


def test_another_number_of_parts_is_as_good(world: World, tmp_path: Path) -> None:
    catalog, parts = world.copy(tmp_path), tmp_path / "parts"
    predict_part(catalog, parts, (1, 3), {}, [world.model], None, MASKED)
    with pytest.raises(PartsMissing, match=r"4 galaxies, 4 in all; parts 2-3 of 3 are not there"):
        adopt_parts(catalog, parts)
    empty = predict_part(catalog, parts, (1, 40), {})
    assert empty.summary == "part 1 of 40: 0 galaxies, 0 in all; 0 refused"
    predict_part(catalog, parts, (2, 2), {})
    with Store.open(catalog, read_only=True) as store:
        assert store.rows("SELECT status FROM run WHERE job = 'predict'") == [("running",)]
    assert adopt_parts(catalog, parts).galaxies == GALAXIES - 4
    assert rows(catalog)["posterior"] == rows(world.whole)["posterior"]


def test_a_part_beyond_the_cells_says_so(world: World, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    predict_part(world.bare, parts, None, {}, [world.model], None, MASKED)
    empty = predict_part(world.bare, parts, (1, 4), {})
    assert (empty.changed, *empty.notes) == (
        False,
        "the plan can be cut into 3 parts at most: this one is empty",
    )


def test_what_cannot_be_planned_is_refused(world: World, tmp_path: Path) -> None:
    model = made("classifier", tmp_path)[1]
    with pytest.raises(CatalogError, match="names its answers: no --names"):
        predict_part(
            world.bare, tmp_path / "parts", None, {}, [world.model], None, MASKED, ["ring"]
        )
    with pytest.raises(CatalogError, match="leave out --method and --layer"):
        explain_part(world.bare, tmp_path / "parts", None, {}, Maps([model], method="gradcam"))
    with pytest.raises(CatalogError, match="need its estimates"):
        explain_part(world.bare, tmp_path / "parts", None, {}, Maps([model]))
    with pytest.raises(ModelRefused, match="no model at"):
        predict_part(world.bare, tmp_path / "parts", None, {}, [str(tmp_path / "no.ckpt")])
    with pytest.raises(CatalogError, match="no complete predict run"):
        explain_part(world.bare, tmp_path / "maps", None, {})
