"""Mistakes are the user's; warnings show the line that asked."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from zoolens.catalog.errors import Outdated, Told, few, tell


def test_a_warning_is_about_the_callers_line() -> None:
    @contextmanager
    def through_a_context() -> Iterator[None]:
        tell("votes have come", Outdated)
        yield

    with pytest.warns(Outdated, match="votes have come") as caught:
        tell("votes have come", Outdated)
    assert caught[0].filename == __file__
    with pytest.warns(Told) as caught, through_a_context():
        pass
    assert caught[0].filename == __file__


def test_each_reading_is_warned_of() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.resetwarnings()
        warnings.simplefilter("default")
        warnings.simplefilter("always", Told)
        for _ in range(3):
            tell("no galaxy ranks")
    assert len(caught) == 3


def test_of_many_names_a_few_are_said() -> None:
    names = ["a", "b", "c", "d", "e"]
    assert few(names) == "a, b, c, d, e"
    assert few([*names, "f"]) == "a, b, c, d and 2 more"
    assert few(tuple(names), 3) == "a, b and 3 more"
    assert few([]) == ""
