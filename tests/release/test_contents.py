"""What a release is to hold."""

from typing import Any

import pytest

from tests.made.catalogues import TOY
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.release.contents import Contents, check_for_hats, chosen_contents
from zoolens.catalog.release.holdings import Holdings

HELD = Holdings(TOY, votes=True, predictions=True, losses=True)


def contents(**some: Any) -> Contents:
    plain = {"preset": "full", "columns": (), "where": None, "min_votes": 0, "counterparts": 9}
    return chosen_contents(HELD, **{**plain, **some})


def test_long_tables_and_counterparts_are_of_the_whole() -> None:
    full = contents()
    assert full.columns.equals(full.every)
    assert (full.counterparts, len(full.tables), full.chosen) == (9, 4, False)
    few = contents(columns=["ra"])
    assert few.columns.names == ["iauname", "ra"]
    assert (few.counterparts, len(few.tables)) == (0, 0)  # nothing would show them
    assert contents(columns=["ra"], where="predicted_counterpart = 'J1'").counterparts == 9


def test_what_cannot_be_is_refused_at_once() -> None:
    with pytest.raises(UnknownName, match="no column 'raa'"):
        contents(columns=["raa"])
    with pytest.raises(CatalogError, match="condition"):
        contents(where="ra >")


def test_hats_needs_positions() -> None:
    check_for_hats(contents(), None)
    with pytest.raises(CatalogError, match="such as J7"):
        check_for_hats(contents(), "J7")
    check_for_hats(contents(where="ra IS NOT NULL"), "J7")
    with pytest.raises(CatalogError, match="ra and dec"):
        check_for_hats(contents(columns=["ra"]), None)
