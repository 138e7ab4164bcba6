"""A small catalogue to predict and explain, and what one process makes of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import zoolens.jobs.explain
from tests.jobs.test_predict import SMALL, imaged
from tests.made.checkpoints import save, zoobot_tree
from zoolens.catalog.parts import cells
from zoolens.catalog.store.store import Store
from zoolens.jobs.explain import explain
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference, Which

GALAXIES = 10
MASKED = Inference(samples=3, seed=5, view=SMALL, engine="torch")
TABLES = ("prediction", "question_prediction", "posterior", "saliency_map", "saliency_stat")


class World:
    """model: a checkpoint; bare: a catalogue of `GALAXIES` with images; whole: after one process
    predicted and explained them."""

    def __init__(self, folder: Path) -> None:
        zoobot = zoobot_tree("test_resnet", awake=True, dropout_rate=0.3)
        self.model = str(save(zoobot, folder / "small.ckpt"))
        self.bare = imaged(folder / "gz.duckdb", GALAXIES)
        self.whole = Path(shutil.copyfile(self.bare, folder / "whole.duckdb"))
        predict(self.whole, self.model, MASKED, batch_size=4)
        explain(self.whole, Which(everything=True), figures=False)

    def copy(self, folder: Path) -> Path:
        """The bare catalogue, to work on."""
        return Path(shutil.copyfile(self.bare, folder / "gz.duckdb"))


_WORLDS: list[World] = []  # the same for all modules that use it


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Cells are of four galaxies as long as it stands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells.cells, "__defaults__", (4,))
        patch.setattr(zoolens.jobs.explain, "BATCH", 2)
        if not _WORLDS:
            _WORLDS.append(World(tmp_path_factory.mktemp("world")))
        yield _WORLDS[0]


def rows(path: Path) -> dict[str, pa.Table]:
    """All rows of a catalogue that predicting and explaining make, in the order they lie in."""
    with Store.open(path, read_only=True) as store:
        return {name: store.arrow(f"FROM {name}") for name in TABLES}
