"""Places on the sky in a notebook, by Aladin Lite."""

from collections.abc import Iterable
from typing import Any, Protocol

from zoolens.catalog.errors import CatalogError, needs

SURVEY = "CDS/P/DESI-Legacy-Surveys/DR10/color"  # in which Galaxy Zoo DECaLS looked
_CLOSE = 1 / 60  # degrees: as much of the sky as one galaxy is shown in
_WIDEST = 180.0


class Placed(Protocol):
    """A galaxy and where it is: degrees, ICRS, None where unknown."""

    @property
    def iauname(self) -> str: ...

    @property
    def ra(self) -> float | None: ...

    @property
    def dec(self) -> float | None: ...


def aladin(galaxies: Iterable[Placed], survey: str = SURVEY) -> Any:
    """A widget of Aladin Lite around galaxies, each a circle with its name.

    Those without a position are left out. survey: what is behind them, a HiPS by its identifier,
    which the browser fetches. Raises `NotInstalled` without ipyaladin, `CatalogError` if no galaxy
    has a position.
    """
    needs("the sky in a notebook", "ipyaladin", "notebook")
    from astropy.coordinates import SkyCoord
    from astropy.table import Table
    from ipyaladin import Aladin

    known = [one for one in galaxies if one.ra is not None and one.dec is not None]
    if not known:
        raise CatalogError("none of these galaxies has a position; ingest a table with ra and dec")
    columns = {name: [getattr(one, name) for one in known] for name in ("iauname", "ra", "dec")}
    where = SkyCoord(columns["ra"], columns["dec"], unit="deg")
    middle = SkyCoord(where.cartesian.mean(), frame="icrs").spherical
    centre = SkyCoord(middle.lon, middle.lat)
    reach = float(centre.separation(where).deg.max())
    shown = Aladin(
        target=f"{centre.ra.deg:.6f} {centre.dec.deg:+.6f}",
        fov=min(max(2.2 * reach, _CLOSE), _WIDEST),
        survey=survey,
    )
    shown.add_table(Table(columns), name="galaxies", shape="circle", source_size=18)
    return shown
