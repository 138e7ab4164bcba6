"""The selection from a survey, beside that from the one catalogue that it was cut from."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.test_select import NAMES, N, chosen, content, inform, paint
from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.images import folder, picture
from tests.made.placed import PIECES, place, survey_of
from tests.oracles.selection import QUESTIONS
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey import selection
from zoolens.jobs.score import score
from zoolens.jobs.select import select

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galaxies of neighbouring pieces alternate in the order of their worth."""
    tmp_path = tmp_path_factory.mktemp("whole")
    images = folder(tmp_path / "images", {f"{n}.png": picture(n) for n in range(N - 2)})
    path = tmp_path / "gz.duckdb"
    catalogue(path, random_counts(N), concentrations=random_concentrations(N), names=NAMES)
    place(path, mixed=True)
    paint(path, {n: (images / f"{n}.png", None) for n in range(N - 2)})
    inform(path)
    score(path)
    return path


@pytest.fixture(scope="module")
def survey(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return survey_of(whole, tmp_path_factory.mktemp("survey") / "pieces")


@pytest.mark.parametrize(
    "how",
    [
        {"quotas": ["bar=2"]},
        {"by": "loss", "min_votes": 10},
        {"where": "iauname > 'J12'", "quotas": ["round=3", "bar=1"]},
        {"where": "iauname IN ('J03', 'J04')"},  # there is none in some pieces
    ],
)
def test_it_is_that_of_the_whole(
    whole: Path,
    survey: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: dict[str, Any],
) -> None:
    if "quotas" in how:  # few are held of a catalogue at a time
        monkeypatch.setattr(selection, "_SPARE", 1)
        monkeypatch.setattr(selection, "_MORE", 2)
    reports = [select(c, tmp_path / c.name, 8, **how) for c in (whole, survey)]
    assert reports[0].summary == reports[1].summary
    assert content(tmp_path / whole.name) == content(tmp_path / survey.name)


def test_equals_go_by_name_and_what_is_refused_is_replaced(
    whole: Path, survey: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "_SPARE", 1)
    every = [tmp_path / "gz.duckdb", tmp_path / "survey"]
    shutil.copyfile(whole, every[0])
    shutil.copytree(survey, every[1])
    for path in (every[0], *(piece.path(every[1]) for piece in PIECES)):
        with Store.open(path) as store:
            store.execute("UPDATE question_prediction SET mutual_information = 1")
            store.execute("UPDATE prediction SET reach = 0.5")
            store.execute("UPDATE image SET sha256 = repeat('0', 64) WHERE galaxy_id < 9")
    for path in every:
        report = select(path, tmp_path / f"{path.name}.out", 2)
        assert report.refused == 9
    outs = [tmp_path / f"{path.name}.out" for path in every]
    assert chosen(outs[0]) == ["J09", "J10"]
    assert content(outs[0]) == content(outs[1])


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"where": "ra > 400"}, "no galaxy of .* has ra > 400"),
        ({"max_votes": 0.0, "by": "loss"}, "no galaxy has a score above 0"),
        ({"columns": ["z"]}, "no column 'z' of your own in .*Npix=8"),
    ],
)
def test_what_is_nowhere_is_told(
    survey: Path, tmp_path: Path, how: dict[str, Any], words: str
) -> None:
    with pytest.raises(CatalogError, match=words):
        select(survey, tmp_path / "out", 3, **how)
    assert not (tmp_path / "out").exists()


def test_a_quota_needs_a_galaxy_in_some_piece(survey: Path, tmp_path: Path) -> None:
    pieces = Path(shutil.copytree(survey, tmp_path / "survey"))
    for number, piece in enumerate(PIECES):
        with Store.open(piece.path(pieces)) as store:
            store.execute(
                "UPDATE question_prediction SET mutual_information = 0 WHERE question_id = 1"
            )
            if number:
                store.execute(
                    "UPDATE question_prediction SET mutual_information = 0 WHERE question_id = 2"
                )
    assert select(pieces, tmp_path / "out", 3, quotas=["bar=1"]).quotas == {"bar": (1, 1)}
    none = QUESTIONS[1]
    with pytest.raises(CatalogError, match=f"score above 0 for {none}; leave out its quota"):
        select(pieces, tmp_path / "none", 3, quotas=[f"{none}=1", "bar=1"])


@pytest.mark.parametrize(
    ("by", "statement", "words"),
    [
        (
            "mutual_information",
            "UPDATE run SET model_sha256 = 'ff' WHERE job = 'predict'",
            "differ in model",
        ),
        ("loss", "UPDATE run SET status = 'running' WHERE job = 'score'", "no complete score run"),
        (
            "mutual_information",
            "UPDATE run SET status = 'running' WHERE job = 'predict'",
            "no complete predict run",
        ),
    ],
)
def test_pieces_that_disagree_or_lag_are_named(
    survey: Path, tmp_path: Path, by: str, statement: str, words: str
) -> None:
    pieces = Path(shutil.copytree(survey, tmp_path / "survey"))
    with Store.open(PIECES[1].path(pieces)) as store:
        store.execute(statement)
    with pytest.raises(CatalogError, match=words) as caught:
        select(pieces, tmp_path / "out", 3, by=by)
    assert "Npix=17" in str(caught.value)
    assert not (tmp_path / "out").exists()
