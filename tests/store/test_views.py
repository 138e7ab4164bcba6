"""Galaxies and their newest images: the public view, and batches of it."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import blank
from zoolens.catalog.store.ingests import finish_ingest
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree

GALAXIES, RUNS = 40, 5

OBVIOUS = """SELECT g.galaxy_id, (
    SELECT max_by(i.source, i.run_id) FROM image i JOIN run r USING (run_id)
    WHERE i.galaxy_id = g.galaxy_id AND r.status = 'complete'
) AS image FROM galaxy g WHERE g.run_id IN (SELECT run_id FROM run WHERE status = 'complete')
ORDER BY galaxy_id"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Galaxies of one run, images of some of them by five, the last of which is not complete."""
    random = np.random.default_rng(4)
    with Store.open(blank(tmp_path / "gz.duckdb")) as made:
        made.set_tree(get_tree("gzd5"))
        for number in range(RUNS):
            run = made.begin("ingest", {"number": number})
            ids = np.sort(random.choice(GALAXIES, 12, replace=False)) + 1
            images = {
                "galaxy_id": pa.array(ids, pa.int64()),
                "source": [f"{number}/{i}.png" for i in ids],
                "format": ["PNG"] * len(ids),
                "height": pa.array([424] * len(ids), pa.int32()),
                "width": pa.array([424] * len(ids), pa.int32()),
                "sha256": ["0" * 64] * len(ids),
            }
            tables = {"image": pa.table(images)}
            if number == 0:
                every = np.arange(1, GALAXIES + 1)
                names = [f"G{i:04d}" for i in every]
                tables["galaxy"] = pa.table({"galaxy_id": every, "iauname": names})
            made.commit(run, "all", tables)
            if number < RUNS - 1:
                finish_ingest(made, run)
    return Store.open(tmp_path / "gz.duckdb", read_only=True)


def test_the_newest_complete_image_of_each_galaxy(store: Store) -> None:
    with store:
        found = store.arrow("SELECT galaxy_id, image FROM galaxies ORDER BY galaxy_id")
        assert found.to_pylist() == store.arrow(OBVIOUS).to_pylist()
        assert (
            len({row["image"].partition("/")[0] for row in found.to_pylist() if row["image"]}) > 2
        )


def test_images_are_not_sorted(store: Store) -> None:
    """8.7 million of them do not fit into the memory that jobs may use."""
    with store:
        (plan,) = store.arrow("EXPLAIN SELECT count(image) FROM galaxies")["explain_value"]
    assert "JOIN" in plan.as_py()
    assert "WINDOW" not in plan.as_py()
