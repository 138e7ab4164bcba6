"""Jobs over the pieces of a survey against the same jobs on the catalogue it was cut from."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.jobs.test_estimate import made as classifier
from tests.jobs.test_predict import SMALL, imaged
from tests.made.catalogues import random_concentrations
from tests.made.checkpoints import save, zoobot_tree
from tests.made.processes import killed, started, whole
from tests.made.surveys import cut_finely
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.trees import forget_tree
from zoolens.catalog.survey.folder import catalogues, name_of_piece, read_survey
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs import everywhere, pipeline
from zoolens.jobs.settings import Inference
from zoolens.jobs.survey_reports import SurveyReport
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

IMAGED, BARE = 24, 3
DREW = Inference(samples=3, view=SMALL)
ASKED = ["--samples", 3, "--size", 64]

# What the jobs make, by the names of galaxies: numbers of runs are each piece's own.
_MADE = {
    "prediction": "answer_id, * EXCLUDE (run_id, galaxy_id, answer_id, iauname)",
    "question_prediction": "question_id, mutual_information",
    "posterior": "samples, answers, concentrations",
    "loss": "answer_id, observed, predicted, ce, weight, weighted_ce, reach_weighted_ce",
    "galaxy_loss": "answer_id, weighted_ce",
    "question_loss": "question_id, nll",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    tree = zoobot_tree("test_resnet", awake=True, dropout_rate=0.3)
    return str(save(tree, tmp_path_factory.mktemp("small") / "small.ckpt"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with votes, and its survey of five pieces, the last without images."""
    folder = tmp_path_factory.mktemp("bare")
    path = imaged(folder / "gz.duckdb", IMAGED, without=BARE)
    cut_finely(path, folder / "survey", 6)
    return path


@pytest.fixture
def both(bare: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The catalogue and the survey, to be worked on."""
    shutil.copyfile(bare, tmp_path / "gz.duckdb")
    shutil.copytree(bare.with_name("survey"), tmp_path / "survey")
    return tmp_path / "gz.duckdb", tmp_path / "survey"


def made(*paths: Path) -> dict[str, pa.Table]:
    """What the jobs have made in catalogues together, in the order of galaxies' names."""
    found = {}
    for table, columns in _MADE.items():
        rows = []
        for path in paths:
            with Store.open(path, read_only=True) as store:
                sql = f"SELECT iauname, {columns} FROM {table} JOIN galaxies USING (galaxy_id)"
                rows.append(store.arrow(sql))
        together = pa.concat_tables(rows)
        keys = [name for name in together.column_names[:2] if name in ("iauname", "answer_id")]
        keys += ["question_id"] if "question_id" in together.column_names else []
        found[table] = together.sort_by([(key, "ascending") for key in keys])
    return found


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another process holds a catalogue."""
    code = f"import duckdb, time; c = duckdb.connect({str(path)!r}); print(1, flush=True)"
    code += "; time.sleep(99)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline()
    yield
    process.kill()
    process.wait()


def test_pieces_get_what_the_whole_gets(both: tuple[Path, Path], model: str) -> None:
    gz, survey = both
    faults = [verify(path).errors for path in catalogues(survey)]  # the cut leaves its own
    reports = []
    for path in both:
        # an image at a time: what else is in a batch shows in the last bits
        said = [everywhere.predict(path, model, DREW, batch_size=1)]
        said += [everywhere.score(path), everywhere.index(path)]
        reports.append([one.summary.split("; in 4 of")[0] for one in said])
    assert len(catalogues(survey)) > 3
    assert reports[0] == reports[1]
    expected, found = made(gz), made(*catalogues(survey))
    for table, rows in expected.items():
        assert len(rows)
        assert found[table].equals(rows), table
    assert [verify(path).errors for path in catalogues(survey)] == faults
    configs = set()
    for path in catalogues(survey)[:-1]:
        with Store.open(path, read_only=True) as store:
            run = store.run(store.newest_run("predict"))
            configs.add((str({**run.config}), run.model_sha256))
    assert len(configs) == 1
    assert not everywhere.predict(survey, model, DREW, batch_size=1).changed


def test_a_command_goes_over_a_survey(both: tuple[Path, Path], model: str) -> None:
    gz, survey = both
    for path, where in ((gz, ""), (survey, "; in 4 of 5 pieces")):
        done = zoolens("predict", "--model", model, *ASKED, "--catalog", path)
        assert done.exit_code == 0
        assert f"24 galaxies, 24 in all; 0 refused{where}\n" in done.stderr
        assert f"answers weighted{where}\n" in zoolens("score", "--catalog", path).stderr
        assert f"24 galaxies with votes and predictions{where}\n" in (
            zoolens("index", "--catalog", path).stderr
        )
    assert "nothing changed" in zoolens("score", "--catalog", survey).stderr


def test_pieces_that_cannot_be_worked_on_are_told_and_the_others_go_on(
    both: tuple[Path, Path], model: str
) -> None:
    _, survey = both
    first, second, third, *_ = paths = catalogues(survey)
    sound = second.read_bytes()
    second.write_bytes(sound[: len(sound) // 2])
    third.rename(third.with_suffix(".away"))
    command = ["predict", "--model", model, *ASKED, "--catalog", survey, "--quiet"]
    with held(first):
        done = zoolens(*command)
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert len(lines) == 3
    for path, line, words in zip(
        paths, lines, ["in use", "damaged|no catalogue", "missing"], strict=False
    ):
        assert str(path) in line
        assert any(word in line for word in words.split("|"))
    second.write_bytes(sound)
    third.with_suffix(".away").rename(third)
    again = zoolens(*command[:-1])
    assert again.exit_code == 0
    assert "24 in all; 0 refused; in 4 of 5 pieces" in again.stderr
    assert len(made(*paths)["posterior"]) == IMAGED


def test_no_piece_that_can_be_worked_on_is_an_error(both: tuple[Path, Path], model: str) -> None:
    _, survey = both
    done = zoolens("score", "--catalog", survey)
    assert done.exit_code == 1
    assert "no piece of" in done.stderr
    assert "zoolens predict" in done.stderr
    for path in catalogues(survey):
        path.unlink()
    done = zoolens("predict", "--model", model, "--catalog", survey)
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert "pieces more" in done.stderr
    assert not any(path.exists() for path in read_survey(survey).paths)


def test_a_piece_that_lags_is_told(both: tuple[Path, Path], model: str) -> None:
    _, survey = both
    first = catalogues(survey)[0]
    with held(first):
        assert zoolens("predict", "--model", model, *ASKED, "--catalog", survey).exit_code == 1
    done = zoolens("score", "--catalog", survey)
    assert done.exit_code == 0
    assert f"not {name_of_piece(first)}" in done.stderr
    assert "do first: zoolens predict" in done.stderr


def _zoolens(*arguments: object) -> None:
    from zoolens.cli import app

    app([str(argument) for argument in arguments])


@pytest.mark.timeout(200)
def test_killed_between_and_within_pieces_it_ends_as_if_never_killed(
    both: tuple[Path, Path], model: str
) -> None:
    gz, survey = both
    paths = catalogues(survey)
    everywhere.predict(gz, model, DREW, batch_size=1)
    faults = [verify(path).errors for path in paths]
    before = {path: path.stat().st_mtime_ns for path in paths}

    def begun(path: Path) -> bool:
        return path.with_name(path.name + ".wal").exists() or path.stat().st_mtime_ns > before[path]

    for first in (0, 2, 3):
        process = started(_predict, survey, model, DREW)
        while process.is_alive() and not begun(paths[first]):
            time.sleep(0.001)
        time.sleep(0.02 * first)  # within the piece, or between it and the next
        assert killed(process)
    assert whole(started(_predict, survey, model, DREW))
    assert made(*paths)["posterior"].equals(made(gz)["posterior"])
    assert [verify(path).errors for path in paths] == faults


def _predict(survey: Path, model: str, inference: Inference) -> None:
    everywhere.predict(survey, model, inference, batch_size=1)


def test_a_piece_without_a_tree_gets_that_of_the_survey(
    both: tuple[Path, Path], model: str
) -> None:
    _, survey = both
    first, *others = catalogues(survey)
    with Store.open(first) as store, store.transaction():
        store.execute("DELETE FROM vote")
        forget_tree(store)
    everywhere.predict(survey, model, DREW)
    with Store.open(first, read_only=True) as one, Store.open(others[0], read_only=True) as other:
        assert one.tree == other.tree
        assert (
            one.run(one.newest_run("predict")).config
            == other.run(other.newest_run("predict")).config
        )
    done = everywhere.score(survey)
    assert any(name_of_piece(first) in note and "no votes" in note for note in done.notes)


def test_a_survey_of_two_trees_is_refused(both: tuple[Path, Path], model: str) -> None:
    _, survey = both
    first = catalogues(survey)[0]
    with Store.open(first) as store:
        store.execute("UPDATE answer SET answer = 'other' WHERE answer_id = 33")
    for job in (lambda: everywhere.predict(survey, model), lambda: everywhere.score(survey)):
        with pytest.raises(CatalogError, match=f"{name_of_piece(first)} of another gzd5"):
            job()


def test_without_a_model_the_pieces_decide(both: tuple[Path, Path], model: str) -> None:
    _, survey = both
    first, second, *_ = catalogues(survey)
    pipeline.predict_or_adopt(first, model="bundled", inference=Inference(samples=2))
    done = pipeline.predict_or_adopt(survey, inference=Inference(samples=2))
    assert f"{IMAGED} in all" in done.summary
    with Store.open(second) as store:
        store.execute("UPDATE run SET config = replace(config, 'gzd5-simulated', 'gz2-sdss')")
    with pytest.raises(CatalogError, match=r"several models.*name the one"):
        pipeline.predict_or_adopt(survey)
    everywhere.predict(second, model, DREW)
    with pytest.raises(CatalogError, match="has predicted already, from"):
        pipeline.predict_or_adopt(survey)


def test_side_by_side_they_do_the_same(
    both: tuple[Path, Path], model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gz, survey = both
    for path in both:
        everywhere.predict(path, model, DREW, batch_size=1)
    everywhere.score(gz)
    monkeypatch.setattr(everywhere, "_processes", lambda _: 2)
    catalogues(survey)[0].unlink()
    report = everywhere.score(survey)
    assert isinstance(report, SurveyReport)
    assert len(report.hindered) == 1
    expected, found = made(gz)["loss"], made(*read_survey(survey).paths[1:])["loss"]
    kept = pa.compute.is_in(expected["iauname"], pa.array(found["iauname"].unique()))
    assert 0 < len(found) < len(expected)
    assert expected.filter(kept).equals(found)


REJECTS = "SELECT source, row, key, reason FROM rejects JOIN runs USING (run_id) WHERE job = '{}'"


def told(job: str, *paths: Path) -> list[tuple[object, ...]]:
    """The rejects of a job in catalogues together."""
    found = []
    for path in paths:
        with Store.open(path, read_only=True) as store:
            found += store.rows(REJECTS.format(job))
    return sorted(found, key=str)


def _shuffled(columns: dict[str, Any]) -> pa.Table:
    """Rows of all galaxies in another order, and of some that nobody has, is named, or twice."""
    table = pa.table(columns)
    order = np.random.default_rng(0).permutation(len(table))
    return table.take(np.append(order, order[:2]))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    count = IMAGED + BARE
    alpha = random_concentrations(count, 2, get_tree("gzd5"))
    names: list[str | None] = [f"G{i:04d}" for i in range(count)]
    names[3], names[7], names[20] = "X1", None, "X2"
    columns: dict[str, Any] = {"iauname": names}
    for k, label in enumerate(get_tree("gzd5").labels):
        columns[f"{label}_concentration"] = alpha[:, :, k].tolist()
    pq.write_table(_shuffled(columns), tmp_path / "published.parquet")
    return tmp_path / "published.parquet"


def test_published_predictions_go_to_the_piece_that_has_the_galaxy(
    both: tuple[Path, Path], published: Path
) -> None:
    gz, survey = both
    paths = catalogues(survey)
    for path in both:
        done = zoolens("predict", "--predictions", published, "--catalog", path)
        assert done.exit_code == 0
        assert f"24 galaxies, 24 in all; {len(told('predict', gz))} refused" in done.stderr
    expected, found = made(gz), made(*paths)
    for table in ("prediction", "question_prediction", "posterior"):
        assert len(expected[table])
        assert found[table].equals(expected[table]), table
    assert len(told("predict", gz)) > 4
    assert told("predict", *paths) == told("predict", gz)
    assert (
        "nothing changed"
        in zoolens("predict", "--predictions", published, "--catalog", survey).stderr
    )


def test_rows_of_no_galaxy_are_told_once_all_pieces_can_be_read(
    both: tuple[Path, Path], published: Path
) -> None:
    gz, survey = both
    paths = catalogues(survey)
    command = ["predict", "--predictions", published, "--catalog"]
    with held(paths[1]):
        done = zoolens(*command, survey)
    assert done.exit_code == 1
    assert "rows are of no galaxy of the pieces that could be read" in done.stderr
    assert not any("unknown galaxy" in str(row) for row in told("predict", *paths))
    for path in both:
        assert zoolens(*command, path).exit_code == 0
    assert told("predict", *paths) == told("predict", gz)


def test_predictions_of_no_galaxy_of_a_survey_are_refused(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    _, survey = both
    label = get_tree("gzd5").labels[0].partition("_")[0]
    columns = {name: [[3.0, 4.0]] for name in get_tree("gzd5").labels if name.startswith(label)}
    table = {"iauname": ["X"], **{f"{name}_concentration": v for name, v in columns.items()}}
    pq.write_table(pa.table(table), tmp_path / "other.parquet")
    done = zoolens("predict", "--predictions", tmp_path / "other.parquet", "--catalog", survey)
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert "has no galaxy of these catalogues" in done.stderr


def test_own_columns_go_to_the_piece_that_has_the_galaxy(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    gz, survey = both
    names = [*(f"G{i:04d}" for i in range(IMAGED)), "X", None]
    table = tmp_path / "own.parquet"
    pq.write_table(_shuffled({"iauname": names, "z": [i / 8 for i in range(len(names))]}), table)
    reports = []
    for path in both:
        done = zoolens("keep", table, "--columns", "z", "--catalog", path)
        assert done.exit_code == 0
        reports.append(done.stderr.split(" z ")[1].splitlines()[0])
    assert reports[1] == f"{reports[0]}; in 4 of 5 pieces"
    own = []
    for paths in ([gz], catalogues(survey)):
        values = []
        for path in paths:
            with Store.open(path, read_only=True) as store:
                columns = "iauname, z" if path != catalogues(survey)[-1] else "iauname, NULL"
                values += store.rows(f"SELECT {columns} FROM own")
        own.append(sorted(value for value in values if value[1] is not None))
    assert own[0] == own[1]
    assert len(own[0]) == IMAGED
    assert told("keep", *catalogues(survey)) == told("keep", gz)
    assert len(told("keep", gz)) > 2
    assert "nothing changed" in zoolens("keep", table, "--columns", "z", "--catalog", survey).stderr


@pytest.mark.usefixtures("undrawn_figures")
def test_what_a_classifier_says_of_all_pieces(both: tuple[Path, Path], tmp_path: Path) -> None:
    gz, survey = both
    _, source = classifier("classifier", tmp_path)
    names = ["--names", "ring,arc,none"]
    for path in both:
        done = zoolens("predict", "--model", source, *ASKED, *names, "--catalog", path)
        assert "24 galaxies, 24 in all; 0 refused" in done.stderr
    estimates = "SELECT iauname, name, value FROM estimates ORDER BY ALL"
    found = []
    for path in catalogues(survey):
        with Store.open(path, read_only=True) as store:
            found += store.rows(estimates)
    with Store.open(gz, read_only=True) as store:
        for ours, theirs in zip(sorted(found), store.rows(estimates), strict=True):
            assert ours[:2] == theirs[:2]
            assert ours[2] == pytest.approx(theirs[2], rel=1e-4)
    done = zoolens("explain", "G0000", "G0023", "--catalog", survey)
    assert done.exit_code == 0
    assert "2 galaxies, 2 in all; 0 refused; 2 figures in" in done.stderr
    assert len([*(tmp_path / "survey-explained").glob("*.png")]) == 2
    done = zoolens("explain", "--all", "--catalog", survey)
    assert f"{IMAGED - 2} galaxies, {IMAGED} in all" in done.stderr


def test_a_training_is_on_all_pieces_with_votes_and_images(
    both: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gz, survey = both
    asked: list[list[Path]] = []
    monkeypatch.setattr("zoolens.jobs.train.train", lambda paths, out, **_: asked.append(paths))
    everywhere.train([survey, gz], tmp_path / "model")
    assert asked == [[*catalogues(survey)[:-1], gz]]
    catalogues(survey)[0].unlink()
    with pytest.raises(CatalogError, match="a piece of the survey, is missing"):
        everywhere.train([survey], tmp_path / "model")
