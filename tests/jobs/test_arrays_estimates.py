"""What classifiers and regressors estimate, elsewhere: the rows of one process, to the bit."""

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.jobs.test_estimate import made
from tests.jobs.test_predict import SMALL, imaged
from tests.made.catalogues import TOY
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts import cells
from zoolens.catalog.parts.computing import Failed, ThroughFolder
from zoolens.catalog.parts.files import part_files, read_part, write_part
from zoolens.catalog.store.shards import here
from zoolens.catalog.store.store import Store
from zoolens.jobs.adopt_parts import PartsMissing, adopt_parts
from zoolens.jobs.arrays import explain_part, predict_part
from zoolens.jobs.estimate import estimate
from zoolens.jobs.estimate_maps import explain_estimates
from zoolens.jobs.settings import Inference

pytestmark = pytest.mark.slow

GALAXIES, NAMES = 6, ["ring", "disc", "other"]
HOW = Inference(samples=3, seed=4, view=SMALL, engine="torch")
Tables = dict[str, pa.Table]


class World:
    """model: a classifier; bare: a catalogue of galaxies in two cells; whole: after one process
    estimated and explained them."""

    def __init__(self, folder: Path) -> None:
        self.model = made("classifier", folder)[1]
        self.bare = imaged(folder / "gz.duckdb", GALAXIES, tree=TOY)
        self.whole = Path(shutil.copyfile(self.bare, folder / "whole.duckdb"))
        estimate(self.whole, self.model, HOW, names=NAMES, batch_size=4)
        explain_estimates(self.whole, everything=True)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells.cells, "__defaults__", (4,))
        patch.setattr("zoolens.jobs.estimate_maps.BATCH", 4)
        yield World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def catalog(world: World, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(world.bare, tmp_path / "gz.duckdb"))


def rows(path: Path) -> Tables:
    """What was estimated, in the order it lies in, and by which runs."""
    with Store.open(path, read_only=True) as store:
        found = {name: store.arrow(f"FROM {name}") for name in ("estimate", "estimate_map")}
        assert all(len(table) for table in found.values())
        runs = "SELECT job, config, model_sha256, status FROM run ORDER BY run_id"
        return {**found, "run": store.arrow(runs)}


def test_a_job_array_makes_the_rows_of_one_process(
    world: World, catalog: Path, tmp_path: Path
) -> None:
    parts, maps, asked = tmp_path / "parts", tmp_path / "maps", ["--catalog", catalog, "--out"]
    done = zoolens(
        *("predict", *asked, parts, "--model", world.model, "--names", "ring, disc,other"),
        *("--samples", 3, "--seed", 4, "--size", 64, "--engine", "torch"),
    )
    assert "6 galaxies wait, to be cut into at most 2 parts" in done.output, done.output
    hidden = catalog.rename(tmp_path / "hidden.duckdb")  # nobody needs it
    for number in (2, 1):
        assert zoolens("predict", "--part", f"{number}/2", "--out", parts).exit_code == 0
    hidden.rename(catalog)
    done = zoolens("adopt", parts, "--catalog", catalog)
    assert "estimate run 3   6 galaxies, 6 in all; 0 refused" in done.output, done.output
    done = zoolens("explain", "--all", "--part", "1/1", *asked, maps)
    assert done.exit_code == 0, done.output
    assert adopt_parts(catalog, maps).summary == "6 galaxies, 6 in all; 0 refused"
    assert rows(catalog) == rows(world.whole)
    assert not adopt_parts(catalog, maps).changed
    refused = zoolens("explain", "--all", "--part", "1/1", "--method", "deeplift", *asked, maps)
    assert "is planned with --method hirescam, not deeplift" in refused.output


def test_workers_make_the_rows_of_one_process(world: World, catalog: Path, tmp_path: Path) -> None:
    def failing(
        function: Callable[[Any], Any], items: Iterable[Any], /
    ) -> Generator[Any, None, None]:
        for number, item in enumerate(items):
            yield Failed("three workers were killed") if number == 1 else function(item)

    failed = ThroughFolder(tmp_path, failing)
    report = estimate(catalog, world.model, HOW, names=NAMES, through=failed)
    assert (report.galaxies, report.rejects) == (4, 2)
    through = ThroughFolder(tmp_path, here)
    assert estimate(catalog, world.model, HOW, names=NAMES, through=through).galaxies == 2
    explain_estimates(catalog, everything=True, through=through)
    assert rows(catalog) == rows(world.whole)
    assert part_files(tmp_path) == []


def _called(name: str) -> Callable[[Tables], Tables]:
    def change(tables: Tables) -> Tables:
        found = tables["estimate"]
        values = pa.array([name] * len(found), pa.string())
        at = found.column_names.index("name")
        return {**tables, "estimate": found.set_column(at, "name", values)}

    return change


def _of_a_tree(tables: Tables) -> Tables:
    return {**tables, "posterior": pa.table({"galaxy_id": [0]})}


def _once_more(tables: Tables) -> Tables:
    return {**tables, "estimate": pa.concat_tables([tables["estimate"]] * 2)}


def _one_name_less(tables: Tables) -> Tables:
    return {**tables, "estimate": tables["estimate"].slice(1)}


@pytest.mark.parametrize(
    "change", [_called("spiral"), _called("ring"), _of_a_tree, _once_more, _one_name_less]
)
def test_rows_that_no_model_estimates_are_refused(
    world: World, catalog: Path, tmp_path: Path, change: Callable[[Tables], Tables]
) -> None:
    parts = tmp_path / "parts"
    predict_part(catalog, parts, (1, 1), {}, [world.model], None, HOW, NAMES)
    file = part_files(parts)[1]
    content = read_part(file)
    galaxies = [
        Galaxy(one["galaxy_id"], one["iauname"], "", None, one["sha256"])
        for one in content.galaxies.to_pylist()
    ]
    write_part(file, content.facts, galaxies, change(content.tables))
    with pytest.raises(PartsMissing, match=f"adopted 4 galaxies, .*damaged: {file.name}"):
        adopt_parts(catalog, parts)


def test_maps_of_estimates_that_are_not_there_are_refused(
    world: World, catalog: Path, tmp_path: Path
) -> None:
    estimate(catalog, world.model, HOW, names=NAMES)
    explain_part(catalog, tmp_path / "maps", None, {})
    shutil.copyfile(world.bare, catalog)
    with pytest.raises(CatalogError, match=r"explains estimates that .* does not have"):
        adopt_parts(catalog, tmp_path / "maps")
