"""A few galaxies of several pieces as one catalogue."""

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from zoolens.catalog.arrays import Ids
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import catalogues
from zoolens.catalog.survey.gathering import gather

pytestmark = pytest.mark.slow

VIEWS = ("galaxies", "votes", "predictions", "losses", "question_losses", "saliency")


def _rows(path: Path, view: str, names: list[str]) -> pa.Table:
    with Store.open(path, read_only=True) as store:
        rows = store.arrow(f"SELECT * EXCLUDE (galaxy_id) FROM {view} ORDER BY ALL")
        return rows.filter(pa.compute.is_in(rows["iauname"], pa.array(names)))


def test_they_show_what_their_pieces_show(full_gz: Path, full_survey: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(full_survey, tmp_path / "survey")
    wanted: dict[Path, Ids] = {}
    names: list[str] = []
    for path in reversed(catalogues(folder)[1:]):
        with Store.open(path, read_only=True) as store:
            rows = store.rows("SELECT galaxy_id, iauname FROM galaxies ORDER BY hash(iauname)")
        wanted[path] = np.array([number for number, _ in rows[:3]], np.int64)
        names += [name for _, name in rows[:3]]
    some = gather(folder, tmp_path / "some.duckdb", wanted)
    for view in VIEWS:
        expected = _rows(full_gz, view, names)
        assert _rows(some, view, names).equals(expected), view
        assert len(expected)
    with Store.open(some, read_only=True) as store:
        numbered = store.rows("SELECT iauname FROM galaxies ORDER BY galaxy_id")
    with Store.open(full_gz, read_only=True) as store:
        listed = store.rows("SELECT iauname FROM galaxies ORDER BY galaxy_id")
    assert numbered == [row for row in listed if row[0] in names]
    with Store.open(path) as store:
        store.execute("UPDATE run SET model_sha256 = '11' WHERE job = 'predict'")
    with pytest.raises(CatalogError, match="which differ in model"):
        gather(folder, tmp_path / "more.duckdb", wanted)
