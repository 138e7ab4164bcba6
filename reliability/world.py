"""The small but real files that campaigns work on, each made when it is first asked for."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.made.processes import started, whole

Maker = Callable[["World", Path], None]


@dataclass(frozen=True)
class World:
    """A folder of parts by name."""

    folder: Path

    def part(self, name: str) -> Path:
        """The folder of a part, made in this process if it is not there."""
        path, done = self.folder / name, self.folder / f"{name}.made"
        if not done.exists():
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir(parents=True)
            PARTS[name](self, path)
            done.touch()
        return path

    def prepare(self, names: tuple[str, ...]) -> None:
        """Make parts in a process of their own, which imports what takes memory and time."""
        missing = [name for name in names if not (self.folder / f"{name}.made").exists()]
        if missing and not whole(started(_make, self, missing)):
            raise RuntimeError(f"{', '.join(missing)} could not be made; see the traceback above")

    def copy(self, name: str, folder: Path) -> Path:
        """A copy of a part for a case to spoil."""
        shutil.copytree(self.part(name), folder, dirs_exist_ok=True)
        return folder


def _make(world: World, names: list[str]) -> None:
    from zoolens.catalog.runtime.progress import set_quiet

    set_quiet(True)
    for name in names:
        world.part(name)


def _sky(_: World, folder: Path) -> None:
    """A simulated sky: votes, images and truth of 48 galaxies."""
    from zoolens.jobs.simulate import simulate

    simulate(folder, galaxies=48, seed=16, size=64, workers=1)


def _voted(world: World, folder: Path) -> None:
    """A catalogue of that sky, not yet predicted."""
    from zoolens.jobs.ingest import ingest

    sky = world.part("sky")
    ingest(folder / "gz.duckdb", sky / "votes.csv", images=sky / "images")


def _predicted(world: World, folder: Path) -> None:
    """The same with the bundled model's predictions, losses and index."""
    from zoolens.catalog.paths import BUNDLED_MODEL
    from zoolens.jobs.index import index
    from zoolens.jobs.predict import predict
    from zoolens.jobs.score import score
    from zoolens.jobs.settings import Inference

    gz = world.copy("voted", folder) / "gz.duckdb"
    predict(gz, str(BUNDLED_MODEL), Inference(samples=3, engine="torch"))
    score(gz)
    index(gz)


def _explained(world: World, folder: Path) -> None:
    """The same with the maps of all galaxies."""
    from zoolens.jobs.explain import explain
    from zoolens.jobs.settings import Maps, Which

    gz = world.copy("predicted", folder) / "gz.duckdb"
    explain(gz, Which(everything=True), Maps(engine="torch"), figures=False)


def _many(_: World, folder: Path) -> None:
    """Votes of 4,000 galaxies as a table, and predictions of them as published."""
    import pyarrow as pa
    from pyarrow import parquet

    from tests.made.catalogues import random_concentrations, random_counts
    from tests.made.vote_tables import decals, names, write
    from zoolens.catalog.trees.published import get_tree

    tree, galaxies = get_tree("gzd5"), 4000
    counts = random_counts(galaxies, tree, seed=3)
    table = decals(counts)
    write(folder / "votes.csv", table)
    counts[::7] = np.roll(counts[::7], 1, axis=0)
    write(folder / "later.csv", decals(counts))
    alpha = random_concentrations(galaxies, 3, tree, seed=4)
    columns = {"iauname": pa.array(names(galaxies))} | {
        f"{label}_concentration": pa.array([*alpha[:, :, k]]) for k, label in enumerate(tree.labels)
    }
    parquet.write_table(pa.table(columns), folder / "predictions.parquet")


def _many_voted(world: World, folder: Path) -> None:
    """A catalogue of their votes."""
    from zoolens.jobs.ingest import ingest

    ingest(folder / "gz.duckdb", world.part("many") / "votes.csv")


def _many_predicted(world: World, folder: Path) -> None:
    """A catalogue of their votes and predictions."""
    from zoolens.jobs.adopt import adopt

    gz = world.copy("many_voted", folder) / "gz.duckdb"
    adopt(gz, world.part("many") / "predictions.parquet")


def _many_scored(world: World, folder: Path) -> None:
    """The same with losses."""
    from zoolens.jobs.score import score

    score(world.copy("many_predicted", folder) / "gz.duckdb")


def _full(_: World, folder: Path) -> None:
    """A catalogue of 30 galaxies that has everything but images, with both kinds of index."""
    from tests.made.releases import full_catalogue
    from zoolens.jobs.index import index

    index(full_catalogue(folder / "gz.duckdb"), approximate=True)


def _cut(world: World, folder: Path) -> None:
    """A release of it in every format."""
    from tests.made.releases import EVERYTHING, TITLE
    from zoolens.jobs.release import release

    gz = world.copy("full", folder / "from") / "gz.duckdb"
    release(gz, folder / "cut", TITLE, EVERYTHING)
    shutil.rmtree(folder / "from")


def _old(_: World, folder: Path) -> None:
    """A catalogue as the first version of Zoolens left it."""
    from importlib import import_module

    import duckdb

    first = import_module("zoolens.migrations.versions.0001_first_schema")
    with duckdb.connect(str(folder / "gz.duckdb")) as connection:
        for statement in first.STATEMENTS:
            connection.execute(statement)
        for statement in (
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
            "INSERT INTO alembic_version VALUES ('0001')",
            "INSERT INTO setting VALUES ('tree', 'toy')",
            "INSERT INTO answer VALUES (0, 0, 'shape', 'smooth', 'shape_smooth', ''), "
            "(1, 0, 'shape', 'disk', 'shape_disk', '')",
            "INSERT INTO run VALUES (1, 'ingest', 'f', 'complete', now(), now(), '{}', NULL, '0')",
            "INSERT INTO shard VALUES (1, 'votes', 500000, now())",
            "INSERT INTO galaxy SELECT i, 'J' || i, i % 360, 0, 1 FROM range(100000) t(i)",
            "INSERT INTO image SELECT 1, i, i || '.png', NULL, 'PNG', 9, 8, 'ff' "
            "FROM range(100000) t(i)",
            "INSERT INTO vote SELECT 1, i // 2, i % 2, 3, 6 FROM range(200000) t(i)",
            "INSERT INTO reject SELECT 1, 'votes.csv', i, 'J' || i, 'odd: ' || i "
            "FROM range(100000) t(i)",
        ):
            connection.execute(statement)


def _killed_jobs(world: World, folder: Path) -> None:
    from reliability.logs import killed_jobs

    killed_jobs(world, folder)


def _few(world: World, folder: Path) -> None:
    from reliability.tables import few

    few(world, folder)


def _small_models(world: World, folder: Path) -> None:
    from reliability.models import small_models

    small_models(world, folder)


PARTS: dict[str, Maker] = {
    "sky": _sky,
    "voted": _voted,
    "predicted": _predicted,
    "explained": _explained,
    "many": _many,
    "many_voted": _many_voted,
    "many_predicted": _many_predicted,
    "many_scored": _many_scored,
    "full": _full,
    "cut": _cut,
    "old": _old,
    "killed jobs": _killed_jobs,
    "few": _few,
    "small models": _small_models,
}
