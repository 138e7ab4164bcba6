"""Counterparts in a survey are those of the catalogue that it was cut from."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.counterparts import home_of
from zoolens.catalog.survey.folder import Piece, open_survey
from zoolens.jobs import pipeline
from zoolens.jobs.index import index
from zoolens.jobs.score import score
from zoolens.jobs.similar import similar

from ..made.catalogues import catalogue, random_concentrations, random_counts
from ..made.surveys import cut

pytestmark = pytest.mark.slow

N = 60
PIECES = [Piece(0, pixel) for pixel in range(12)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galaxies in three pixels; nobody voted on two of them, and some are alike."""
    counts = random_counts(N, most=20)
    counts[[7, 20]] = 0
    counts[30:40] = counts[10]
    alpha = random_concentrations(N)
    alpha[30:35] = alpha[10]
    path = tmp_path_factory.mktemp("whole") / "gz.duckdb"
    catalogue(path, counts, concentrations=alpha)
    with Store.open(path) as store:
        store.execute("DELETE FROM vote WHERE galaxy_id IN (7, 20)")
        # a third each in a pixel of order 0, with the numbers of its piece
        store.execute("UPDATE galaxy SET ra = 20 + galaxy_id % 50 + 90 * (galaxy_id % 3), dec = 45")
        for table in ("galaxy", "vote", "prediction", "posterior", "question_prediction"):
            store.execute(f"UPDATE {table} SET galaxy_id = galaxy_id + galaxy_id % 3 * 4294967296")
    return path


@pytest.fixture(scope="module")
def survey(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = cut(whole, tmp_path_factory.mktemp("survey") / "dr1", PIECES)
    assert len(open_survey(folder).pieces) == 3
    for path in [whole, *open_survey(folder).paths]:
        score(path)
        index(path, approximate=True)
    return folder


@pytest.mark.parametrize(
    ("galaxy", "asked"),
    [
        ("G0000", {}),
        ("G0010", {}),  # with others that are alike
        ("G0007", {}),  # nobody voted on it
        ("G0031", {"k": 1}),
        ("G0059", {"k": 100}),
        ("G0007", {"k": 3, "min_votes": 12}),
        ("G0010", {"k": 3, "min_votes": 0}),
        ("G0000", {"min_votes": 15}),
        ("G0031", {"exchange": "answer", "weights": "paper"}),
        ("G0010", {"approximate": True}),
        ("G0007", {"approximate": True}),
    ],
)
def test_counterparts_are_those_of_the_whole(
    whole: Path, survey: Path, galaxy: str, asked: dict[str, Any]
) -> None:
    one, other = (similar(path, galaxy, **asked) for path in (whole, survey))
    assert other == one
    assert len(one.table) > 1


def test_the_index_of_each_piece_is_made_first(whole: Path, tmp_path: Path) -> None:
    folder = cut(whole, tmp_path / "dr1", PIECES)
    for path in open_survey(folder).paths:
        score(path)
    assert pipeline.similar(folder, "G0000") == similar(whole, "G0000")


def test_a_galaxy_that_no_piece_has_is_refused_in_the_same_words(whole: Path, survey: Path) -> None:
    with pytest.raises(UnknownName) as refused:
        similar(whole, "G006")
    with pytest.raises(UnknownName) as also:
        similar(survey, "G006")
    assert str(also.value) == str(refused.value).replace(str(whole), str(survey))


def test_a_galaxy_is_found_with_its_piece(survey: Path) -> None:
    home = home_of(survey, "G0004")
    assert home.galaxy_id == 4 + 2**32
    with Store.open(home.path) as store:
        assert store.value("SELECT count(*) FROM galaxies WHERE iauname = 'G0004'") == 1


def test_a_galaxy_in_two_pieces_is_refused(survey: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(survey, tmp_path / "dr1")
    for path in open_survey(folder).paths[:2]:
        with Store.open(path) as store:
            store.execute(
                "UPDATE galaxy SET iauname = 'twice' WHERE galaxy_id = "
                "(SELECT min(galaxy_id) FROM galaxy)"
            )
    with pytest.raises(CatalogError, match="twice is in several pieces of"):
        similar(folder, "twice")


def test_pieces_that_are_predicted_otherwise_are_not_searched(survey: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(survey, tmp_path / "dr1")
    pieces = open_survey(folder).named
    home = home_of(folder, "G0000").piece
    other, bare = [name for name in pieces if name != home][:2]
    for name, config in ((other, '{"samples": 9, "seed": 0, "tree": "toy"}'), (bare, None)):
        with Store.open(pieces[name]) as store:
            if config is None:
                store.execute("UPDATE run SET status = 'running' WHERE job = 'predict'")
            else:
                store.execute("UPDATE run SET config = ? WHERE job = 'predict'", [config])
    found = similar(folder, "G0000", answer="shape_disk", k=100)
    assert f"Not searched: {bare} (no predictions)." in found.notes
    assert any(f"Not searched: {other} (the predictions" in note for note in found.notes)
    names = found.table["iauname"].to_pylist()
    for name, some in ((other, False), (bare, False), (home, True)):
        with Store.open(pieces[name]) as store:
            held = {row[0] for row in store.rows("SELECT iauname FROM galaxies")}
        assert bool(held & set(names)) is some
