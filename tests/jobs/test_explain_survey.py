"""Explanations over a survey against those of the catalogue that it was cut from."""

import re
import shutil
from pathlib import Path

import pytest

from tests.jobs.test_explain import paint, predicted, voted
from tests.made.checkpoints import save, zoobot_tree
from tests.made.surveys import cut_finely
from tests.made.terminal import zoolens
from zoolens.catalog.errors import UnknownName
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import catalogues
from zoolens.jobs.explain_survey import explain
from zoolens.jobs.settings import Which
from zoolens.jobs.survey_reports import SurveyReport

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("undrawn_figures")]

GALAXIES = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with predictions, losses and an index, and its survey of several pieces."""
    folder = tmp_path_factory.mktemp("made")
    model = save(zoobot_tree("test_resnet", awake=True, dropout_rate=0.3), folder / "small.ckpt")
    path = voted(folder / "gz.duckdb", galaxies=GALAXIES)
    paint(path, folder / "images", range(GALAXIES))
    predicted(path, str(model))
    cut_finely(path, folder / "survey", 7)
    return folder


@pytest.fixture
def both(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    for file in made.glob("gz.*"):
        shutil.copy(file, tmp_path / file.name)
    shutil.copytree(made / "survey", tmp_path / "survey")
    return tmp_path / "gz.duckdb", tmp_path / "survey"


def explained(*paths: Path) -> set[str]:
    """The names of galaxies with maps."""
    found: set[str] = set()
    for path in paths:
        with Store.open(path, read_only=True) as store:
            found |= {name for (name,) in store.rows("SELECT DISTINCT iauname FROM saliency")}
    return found


def page(stdout: str) -> str:
    """What a page says, without the numbers of runs, which are each piece's own."""
    text = Path(stdout.strip()).read_text()
    return re.sub(r"\s+", " ", re.sub(r"run \d+", "run", text))


@pytest.mark.parametrize(
    "which", [["--worst", 2, "--min-votes", 0], ["G0001", "G0011", "--answer", "how-rounded_round"]]
)
def test_figures_show_what_they_show_of_the_whole(
    both: tuple[Path, Path], which: list[object]
) -> None:
    pages = []
    for path in both:
        done = zoolens("explain", *which, "--catalog", path)
        assert done.exit_code == 0, done.stderr
        pages.append(page(done.stdout))
    gz, survey = both
    assert pages[0] == pages[1]
    assert "counterpart" in pages[0]
    assert len(catalogues(survey)) >= 3
    assert explained(*catalogues(survey)) == explained(gz)
    assert (survey.parent / "survey-explained" / "index.html").exists()
    assert [path.name for path in survey.glob(".*")] == []
    figures = [
        sorted(file.name for file in (survey.parent / f"{name}-explained").iterdir())
        for name in ("gz", "survey")
    ]
    assert figures[0] == figures[1]


def test_all_are_explained_piece_by_piece(both: tuple[Path, Path]) -> None:
    _, survey = both
    done = zoolens("explain", "--all", "--catalog", survey)
    assert done.exit_code == 0
    assert f"{GALAXIES} galaxies, {GALAXIES} in all; 0 refused; in all" in done.stderr
    assert len(explained(*catalogues(survey))) == GALAXIES
    assert "nothing changed" in zoolens("explain", "--all", "--catalog", survey).stderr


def test_maps_without_figures_are_kept_in_their_pieces(both: tuple[Path, Path]) -> None:
    _, survey = both
    done = explain(survey, Which(names=["G0003"]), figures=False)
    assert isinstance(done, SurveyReport)
    assert done.done == 1
    assert done.page is None
    assert explained(*catalogues(survey)) == {"G0003"}
    with pytest.raises(UnknownName, match="no galaxy 'G9'"):
        explain(survey, Which(names=["G0003", "G9"]))
