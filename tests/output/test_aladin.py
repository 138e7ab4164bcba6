"""The sky in a notebook: where it is shown, and what is said where it cannot be."""

import sys
from typing import NamedTuple

import pytest

from zoolens.catalog.errors import CatalogError, NotInstalled
from zoolens.catalog.output.aladin import aladin


class _Placed(NamedTuple):
    iauname: str
    ra: float | None
    dec: float | None


def test_it_looks_at_the_middle_of_the_galaxies() -> None:
    shown = aladin([_Placed("a", 359.0, 10.0), _Placed("b", 1.0, 10.0), _Placed("c", None, None)])
    assert shown.target.ra.wrap_at("180d").deg == pytest.approx(0, abs=1e-5)
    assert shown.target.dec.deg == pytest.approx(10, abs=0.01)
    assert 2 < shown.fov.deg < 3


def test_of_one_galaxy_it_shows_as_much_as_its_image() -> None:
    assert aladin([_Placed("a", 180.0, -2.0)]).fov.deg == pytest.approx(1 / 60)


def test_without_positions_it_says_so() -> None:
    with pytest.raises(CatalogError, match="none of these galaxies has a position; ingest"):
        aladin([_Placed("a", None, None)])


def test_without_ipyaladin_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipyaladin", None)
    told = r"needs ipyaladin; install it with: pip install 'zoolens\[notebook\]'"
    with pytest.raises(NotInstalled, match=told):
        aladin([_Placed("a", 1.0, 1.0)])
