import numpy as np
import pytest
from astropy import units
from astropy.coordinates import SkyCoord
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.galaxies import separation_arcsec

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
