"""Jobs whose parts workers compute leave what they leave alone, to the bit."""

from pathlib import Path

import pytest

from reliability.contents import files
from zoolens.catalog.cluster.asked import read_cluster
from zoolens.catalog.cluster.crew import Crew, through_cluster
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts import cells
from zoolens.catalog.store.store import Store
from zoolens.jobs.elsewhere import writing_elsewhere
from zoolens.jobs.predict import predict
from zoolens.jobs.simulate import simulate

from ..jobs.test_predict import imaged
from ..parts.test_computing import GALAXIES, MASKED, made, model

pytestmark = pytest.mark.slow

__all__ = ["model"]


def test_rows_are_those_of_one_process(
    tmp_path: Path,
    model: str,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(cells.cells, "__defaults__", (4,))
    monkeypatch.setattr("zoolens.jobs.explain.BATCH", 2)
    alone = made(tmp_path / "alone.duckdb", model)
    folder = tmp_path / "parts"
    with through_cluster(address, folder) as through:
        assert made(tmp_path / "gz.duckdb", model, through) == alone
    assert not folder.exists()
    assert "zoolens: dashboard: http" in capsys.readouterr().err


def test_what_workers_do_not_see_is_refused_before_a_run_begins(
    tmp_path: Path, model: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = imaged(tmp_path / "gz.duckdb", GALAXIES)
    with Store.open(path, read_only=True) as store:
        before = store.rows("FROM run")
    sizes = "zoolens.catalog.cluster.crew.seen_files"
    monkeypatch.setattr(sizes, lambda names: ((names[0], 1),))
    refused = pytest.raises(CatalogError, match=r"no worker can do this; .* see the image")
    with refused, through_cluster(address, tmp_path / "parts") as through:
        predict(path, model, MASKED, through=through)
    monkeypatch.setattr(sizes, lambda names: ())
    monkeypatch.setattr("zoolens.catalog.cluster.crew.PART_BYTES", 10**15)
    refused = pytest.raises(CatalogError, match="has room for")
    with refused, through_cluster(address, tmp_path / "parts") as through:
        predict(path, model, MASKED, through=through)
    assert not (tmp_path / "parts").exists()
    with Store.open(path, read_only=True) as store:
        assert store.rows("FROM run") == before


def test_a_sky_is_that_of_one_machine(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.jobs.simulate.GALAXIES_A_PART", 2)
    simulate(tmp_path / "alone", galaxies=5, size=32, workers=1)
    simulate(tmp_path / "sky", galaxies=5, size=32, elsewhere=writing_elsewhere(address))
    assert files(tmp_path / "sky") == files(tmp_path / "alone")


def test_a_part_of_a_sky_that_fails_ends_it(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.jobs.simulate._write_part", _failing)
    with pytest.raises(CatalogError, match="a part failed: ValueError: no; the same command"):
        simulate(tmp_path / "sky", galaxies=5, size=32, elsewhere=writing_elsewhere(address))


def _failing(*_: object) -> int:
    raise ValueError("no")


def test_nothing_is_started_for_nothing(tmp_path: Path) -> None:
    Crew(read_cluster("local:4")).close()
