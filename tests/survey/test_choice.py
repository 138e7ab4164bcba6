"""Which galaxies of a survey are explained, against the catalogue it was cut from."""

from pathlib import Path

import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.surveys import cut_finely
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.explain.choice import Which, choose
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.choice import choose_of_all, galaxies_by_piece
from zoolens.catalog.survey.folder import catalogues
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("made")
    path = catalogue(
        folder / "gz.duckdb", random_counts(40), concentrations=random_concentrations(40)
    )
    score(path)
    return path, cut_finely(path, folder / "survey", 6)


@pytest.mark.parametrize(
    "which",
    [
        Which(worst=7),
        Which(worst=5, answer="bar_no", min_votes=0),
        Which(worst=3, where="ra < 12"),
        Which(names=["G0039", "G0000", "G0021", "G0000"]),
        Which(names=["G0007", "G0030"], answer="bar_weak"),
    ],
)
def test_they_are_those_of_the_whole(both: tuple[Path, Path], which: Which) -> None:
    whole, survey = both
    chosen = choose_of_all(survey, catalogues(survey), which)
    with Store.open(whole, read_only=True) as store:
        expected = choose(store, which)
        numbers = dict(store.rows("SELECT iauname, galaxy_id FROM galaxies"))
    assert [numbers[name] for name in chosen.names] == [one.galaxy_id for one in expected]
    found = {one.galaxy_id: one for some in chosen.choices.values() for one in some}
    assert found == {one.galaxy_id: one for one in expected}


def test_what_is_not_there_is_told(both: tuple[Path, Path]) -> None:
    _, survey = both
    paths = catalogues(survey)
    with pytest.raises(UnknownName, match=r"'G9' in .*, of which \d+ pieces can be read"):
        galaxies_by_piece(survey, paths, ["G0001", "G9"])
    with pytest.raises(CatalogError, match="ra < 0"):
        choose_of_all(survey, paths, Which(worst=3, where="ra < 0"))
    with pytest.raises(CatalogError, match="ranks"):
        choose_of_all(survey, paths, Which(worst=3, min_votes=900))
