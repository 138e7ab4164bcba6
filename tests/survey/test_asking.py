"""The same question to each piece; `tests/survey/test_ranking.py` asks real ones."""

import warnings
from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError, NothingHere, Told, UnknownName, tell
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.asking import ask_each
from zoolens.catalog.survey.folder import open_survey

pytestmark = pytest.mark.slow


def test_each_piece_answers_and_what_it_tells_is_told_once(full_survey: Path) -> None:
    paths = open_survey(full_survey).paths

    def ask(store: Store) -> Path:
        tell("all alike")
        return store.path

    with pytest.warns(Told, match="all alike") as told:
        assert [*ask_each(full_survey, ask, "score")] == paths
    assert len([one for one in told if "all alike" in str(one.message)]) == 1


def test_pieces_without_an_answer_are_left_out(full_survey: Path) -> None:
    first, second, *rest = open_survey(full_survey).paths

    def ask(store: Store) -> Path:
        if store.path == first:
            raise NothingHere("nothing")
        if store.path == second:
            raise UnknownName("no z")
        return store.path

    with pytest.warns(Told, match="left out: no z"):
        assert [*ask_each(full_survey, ask)] == rest


def test_if_none_answers_the_one_that_knows_the_name_says_why(full_survey: Path) -> None:
    first = open_survey(full_survey).paths[0]

    def ask(store: Store) -> None:
        raise UnknownName("no z") if store.path == first else NothingHere(f"{store.path}: none")

    with pytest.raises(NothingHere, match=f"^{full_survey}: none"):
        [*ask_each(full_survey, ask)]


def test_other_errors_and_warnings_are_raised_and_shown(full_survey: Path) -> None:
    def fail(store: Store) -> None:
        raise CatalogError(f"{store.path} is damaged")

    with pytest.raises(CatalogError, match="damaged"):
        [*ask_each(full_survey, fail)]

    def warn(store: Store) -> None:
        warnings.warn("of a library", UserWarning, stacklevel=1)

    with pytest.warns(UserWarning, match="of a library"):
        [*ask_each(full_survey, warn)]
