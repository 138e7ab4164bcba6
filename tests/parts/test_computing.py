"""Runs whose parts come through a folder equal those of one process, to the bit."""

import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import zoolens.jobs.explain
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts import cells, computing
from zoolens.catalog.parts.computing import Failed, OtherVersion, ThroughFolder, compute_part
from zoolens.catalog.parts.files import Facts, PartRefused, part_files
from zoolens.catalog.store.shards import here
from zoolens.catalog.store.store import Store
from zoolens.jobs.explain import explain
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference, Which

from ..jobs.test_predict import SMALL, imaged
from ..made.checkpoints import save, zoobot_tree

pytestmark = pytest.mark.slow
GALAXIES, MASKED = 10, Inference(samples=3, seed=5, view=SMALL, engine="torch")
TABLES = ("prediction", "question_prediction", "posterior", "saliency_map", "saliency_stat")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    zoobot = zoobot_tree("test_resnet", awake=True, dropout_rate=0.3)
    return str(save(zoobot, tmp_path_factory.mktemp("small") / "small.ckpt"))


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells.cells, "__defaults__", (4,))
    monkeypatch.setattr(zoolens.jobs.explain, "BATCH", 2)


def made(path: Path, model: str, through: ThroughFolder | None = None) -> dict[str, pa.Table]:
    """All rows of a catalogue after predicting and explaining, in the order they lie in."""
    imaged(path, GALAXIES)
    predict(path, model, MASKED, batch_size=2, through=through)
    explain(path, Which(everything=True), figures=False, through=through)
    return rows(path)


def rows(path: Path) -> dict[str, pa.Table]:
    with Store.open(path, read_only=True) as store:
        return {name: store.arrow(f"FROM {name}") for name in TABLES}


def test_rows_are_those_of_one_process(tmp_path: Path, model: str) -> None:
    alone = made(tmp_path / "alone.duckdb", model)
    folder = tmp_path / "parts"
    folder.mkdir()
    through = made(tmp_path / "through.duckdb", model, ThroughFolder(folder, here))
    assert all(len(table) for table in alone.values())
    assert through == alone
    assert not part_files(folder)


def test_a_part_that_fails_is_recorded_and_tried_again(tmp_path: Path, model: str) -> None:
    path, folder = imaged(tmp_path / "gz.duckdb", GALAXIES), tmp_path / "parts"
    folder.mkdir()

    def failing(
        function: Callable[[Any], Any], items: Iterable[Any], /
    ) -> Generator[Any, None, None]:
        for number, item in enumerate(items):
            yield Failed("three workers were killed") if number == 1 else function(item)

    report = predict(path, model, MASKED, through=ThroughFolder(folder, failing))
    assert (report.galaxies, report.rejects) == (GALAXIES - 4, 4)
    with Store.open(path) as store:
        found = store.rows("SELECT key, kind, reason FROM rejects")
    reason = "failed part: three workers were killed"
    assert found == [(f"G{i:04d}", "failed part", reason) for i in (4, 5, 6, 7)]
    again = predict(path, model, MASKED, through=ThroughFolder(folder, here))
    assert (again.galaxies, again.total, again.rejects) == (4, GALAXIES, 0)


def test_what_a_killed_run_left_is_taken_in(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = imaged(tmp_path / "gz.duckdb", GALAXIES), tmp_path / "parts"
    folder.mkdir()

    def killed(
        function: Callable[[Any], Any], items: Iterable[Any], /
    ) -> Generator[Any, None, None]:
        yield from [function(item) for item in items][:0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(path, model, MASKED, through=ThroughFolder(folder, killed))
    left = part_files(folder)
    assert len(left) == 3
    left[1].write_bytes(left[1].read_bytes()[:-100])
    computed = []
    prepared = computing.prepared_here  # type: ignore[attr-defined]

    def counted(recipe: Any) -> Callable[[Sequence[Galaxy]], Any]:
        computed.append(recipe)
        return prepared(recipe)

    monkeypatch.setattr(computing, "prepared_here", counted)
    assert predict(path, model, MASKED, through=ThroughFolder(folder, here)).galaxies == GALAXIES
    assert len(computed) == 1  # the damaged one
    assert not part_files(folder)


def test_a_file_that_is_seen_late_is_waited_for(tmp_path: Path, model: str) -> None:
    path, folder = imaged(tmp_path / "gz.duckdb", GALAXIES), tmp_path / "parts"
    folder.mkdir()
    late: list[threading.Timer] = []

    def renamed_late(
        function: Callable[[Any], Any], items: Iterable[Any], /
    ) -> Generator[Any, None, None]:
        for item in items:
            name = function(item)
            hidden = (folder / name).replace(folder / f".{name}")
            late.append(threading.Timer(0.2, hidden.replace, [folder / name]))
            late[-1].start()
            yield name

    report = predict(path, model, MASKED, through=ThroughFolder(folder, renamed_late))
    assert (report.galaxies, report.rejects, len(late)) == (GALAXIES, 0, 3)


@pytest.mark.parametrize("harm", ["damaged", "missing"])
def test_a_file_that_cannot_be_read_is_asked_for_once_more(
    tmp_path: Path, model: str, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computing, "_SEEN_WITHIN", 0.0)
    alone, folder = imaged(tmp_path / "alone.duckdb", GALAXIES), tmp_path / "parts"
    folder.mkdir()
    predict(alone, model, MASKED, batch_size=2)
    expected = rows(alone)
    harms = 0

    def harming(most: int) -> ThroughFolder:
        def compute(
            function: Callable[[Any], Any], items: Iterable[Any], /
        ) -> Generator[Any, None, None]:
            nonlocal harms
            for name in [function(item) for item in items]:  # all are begun before one is read
                if harms < most and name.startswith(f"{4:019d}"):
                    harms += 1
                    if harm == "missing":
                        (folder / name).unlink()
                    else:
                        (folder / name).write_bytes((folder / name).read_bytes()[:-100])
                yield name

        return ThroughFolder(folder, compute)

    path = imaged(tmp_path / "gz.duckdb", GALAXIES)
    report = predict(path, model, MASKED, batch_size=2, through=harming(1))
    assert (report.galaxies, report.rejects, harms) == (GALAXIES, 0, 1)
    assert rows(path) == expected
    assert not part_files(folder)
    again = imaged(tmp_path / "again.duckdb", GALAXIES)
    with pytest.raises(PartRefused):
        predict(again, model, MASKED, batch_size=2, through=harming(3))
    assert harms == 3


def test_another_model_or_version_is_refused(tmp_path: Path, model: str) -> None:
    path = imaged(tmp_path / "gz.duckdb", GALAXIES)
    other = save(zoobot_tree("test_resnet", seed=9), tmp_path / "other.ckpt")
    copied = tmp_path / "model.ckpt"
    copied.write_bytes(Path(model).read_bytes())

    def changed(
        function: Callable[[Any], Any], items: Iterable[Any], /
    ) -> Generator[Any, None, None]:
        copied.write_bytes(other.read_bytes())
        yield from map(function, items)

    with pytest.raises(CatalogError, match="is not the model that is meant"):
        predict(path, str(copied), MASKED, through=ThroughFolder(tmp_path, changed))

    def older(function: Any, items: Iterable[Any], /) -> Generator[Any, None, None]:
        recipe, facts, folder = function.args
        yield compute_part(
            recipe, Facts(facts.recipe, "0.0.1", "predict"), folder, next(iter(items))
        )

    with pytest.raises(OtherVersion, match=r"0\.0\.1 is meant"):
        predict(path, model, MASKED, through=ThroughFolder(tmp_path, older))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    from zoolens.catalog.parts.computing import check_content
    from zoolens.catalog.parts.files import Content

    content = Content(Facts("a", "1", "predict"), pa.table({}), {})
    check_content(content, Facts("a", "1", "predict"), tmp_path)
    for facts in (Facts("b", "1", "predict"), Facts("a", "2", "predict")):
        with pytest.raises(PartRefused, match="another model, other settings or another Zoolens"):
            check_content(content, facts, tmp_path)
