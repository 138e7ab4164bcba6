from pathlib import Path

import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog.errors import UnknownName
from zoolens.catalog.store.galaxies import (
    SPLITS,
    galaxy_ids,
    separation_arcsec,
    split_galaxies,
    split_table,
)
from zoolens.catalog.store.store import Store

angle = st.floats(0, 360, allow_subnormal=False)
height = st.floats(-90, 90, allow_subnormal=False)


@settings(max_examples=50, deadline=None)
@given(ra=angle, dec=height, step=st.floats(1e-7, 1), turn=angle)
def test_separation_is_astropys(ra: float, dec: float, step: float, turn: float) -> None:
    here = SkyCoord(ra, dec, unit="deg")
    there = here.directional_offset_by(turn * units.deg, step * units.deg)
    ours = separation_arcsec(*(np.array([x]) for x in (ra, dec, there.ra.deg, there.dec.deg)))
    # positions in deg as float64 are good to about 1e-13 deg, or 1e-9 arcsec
    assert ours[0] == pytest.approx(here.separation(there).arcsec, rel=1e-6, abs=1e-8)


def test_without_a_position_there_is_no_separation() -> None:
    one = np.array([1.0])
    assert np.isnan(separation_arcsec(one, one, one * np.nan, one))


def test_an_unknown_galaxy_names_the_nearest(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(5))
    with Store.open(path, read_only=True) as store:
        assert galaxy_ids(store, ["G0003", "G0001"]) == [3, 1]
        with pytest.raises(UnknownName, match=r"no galaxy 'G004' in .*; nearest: G0004"):
            galaxy_ids(store, ["G0001", "G004"])


NAMES = [f"J{n:06d}.{n % 10}+{n:05d}" for n in range(4000)]


@given(names=st.lists(st.text(), max_size=20), more=st.lists(st.text(), max_size=20))
def test_a_galaxy_stays_where_it_is_when_others_come(names: list[str], more: list[str]) -> None:
    alone = split_galaxies(names, 3, 0.2)
    assert split_galaxies([*more, *names], 3, 0.2)[len(more) :].tolist() == alone.tolist()


def test_shares_are_those_asked() -> None:
    split = split_galaxies(NAMES, 0, 0.2)
    shares = [float(np.mean(split == name)) for name in SPLITS]
    # 4 standard deviations of a binomial of 4000
    assert np.allclose(shares, [0.8, 0.1, 0.1], atol=4 * np.sqrt(0.8 * 0.2 / 4000))


def test_places_do_not_depend_on_this_machine() -> None:
    """Worked out with sha256sum: the first bytes of "0:a", "0:b", … as a fraction."""
    from hashlib import sha256

    for name in "abcdefghijklmnop":
        u = int(sha256(f"0:{name}".encode()).hexdigest()[:16], 16) / 2**64
        expected = "test" if u < 0.25 else "validation" if u < 0.5 else "train"
        assert split_galaxies([name], 0, 0.5).tolist() == [expected]


def test_another_seed_is_another_split() -> None:
    assert np.mean(split_galaxies(NAMES, 0, 0.5) == split_galaxies(NAMES, 1, 0.5)) < 0.5


def test_more_held_out_takes_from_training_alone() -> None:
    few, many = split_galaxies(NAMES, 0, 0.2), split_galaxies(NAMES, 0, 0.4)
    assert not np.any((few != "train") & (many == "train"))


def test_nobody_to_split() -> None:
    split = split_galaxies([], 0, 0.2)
    assert split_table(np.array([], np.int64), split).num_rows == 0
