"""An evaluation of a survey against that of the catalogue that it was cut from."""

from pathlib import Path

import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.surveys import cut_finely
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.survey.folder import catalogues
from zoolens.jobs.evaluate_survey import evaluate

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn_figures")]

N = 40


@pytest.fixture
def both(tmp_path: Path) -> tuple[Path, Path]:
    alpha = random_concentrations(N)
    path = catalogue(tmp_path / "gz.duckdb", random_counts(N), concentrations=alpha)
    return path, cut_finely(path, tmp_path / "survey", 6)


def test_a_sample_of_all_pieces_is_measured(both: tuple[Path, Path]) -> None:
    for most in (N, 15):
        of_whole, of_pieces = (evaluate(path, galaxies=most) for path in both)
        assert of_pieces.galaxies == of_whole.galaxies == most
        assert of_pieces.measures == of_whole.measures
        assert len(of_pieces.measures) > 20
        assert of_pieces.run_id is None
    _, survey = both
    assert (survey.parent / "survey-evaluated" / "index.html").exists()
    done = zoolens("evaluate", "--galaxies", 15, "--catalog", survey)
    assert done.exit_code == 0
    assert "15 galaxies" in done.stderr
    assert [path.name for path in survey.glob(".*")] == []


def test_conditions_hold_in_all_pieces(both: tuple[Path, Path]) -> None:
    of_whole, of_pieces = (evaluate(path, where="ra < 12") for path in both)
    assert of_pieces.measures == of_whole.measures
    assert 0 < of_pieces.galaxies < N
    with pytest.raises(CatalogError, match="ra < 9"):
        evaluate(both[1], where="ra < 9")


def test_a_piece_that_cannot_be_read_is_an_error(both: tuple[Path, Path]) -> None:
    path = catalogues(both[1])[1]
    path.unlink()
    with pytest.raises(CatalogError, match="is missing"):
        evaluate(both[1])
