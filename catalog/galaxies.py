"""Galaxies of a catalogue: who is known, who is new, where they are on the sky."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from catalog.arrays import Floats
from catalog.errors import UnknownName
from catalog.store import Store

# Two positions of one name that differ by more are two galaxies, or an error.
SAME_PLACE_ARCSEC = 1.0


@dataclass(frozen=True)
class Numbering:
    """Numbers for the N galaxies of a table.

    galaxy_id (N,); known (N,): whether the catalogue had the galaxy; apart (N,): how
    far the table's position is from the catalogue's, arcsec, NaN without one of them.
    """

    galaxy_id: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    apart: Floats


def number_galaxies(store: Store, names: Sequence[str], ra: Floats, dec: Floats) -> Numbering:
    """Number galaxies: known ones as they are, new ones onwards from the last, in order.

    names, ra, dec (N,): distinct names; deg, ICRS, NaN where unknown.
    """
    found = store.arrow(
        "SELECT iauname, galaxy_id, ra, dec FROM galaxy "
        "SEMI JOIN (SELECT unnest(CAST(? AS VARCHAR[])) AS iauname) USING (iauname)",
        [list(names)],
    )
    place = {name: i for i, name in enumerate(names)}
    at = np.array([place[name] for name in found["iauname"].to_pylist()], dtype=np.int64)
    known = np.zeros(len(names), dtype=bool)
    known[at] = True
    first = int(store.value("SELECT coalesce(max(galaxy_id), 0) + 1 FROM galaxy"))
    galaxy_id = np.empty(len(names), dtype=np.int64)
    galaxy_id[at] = found["galaxy_id"].to_numpy()
    galaxy_id[~known] = np.arange(first, first + np.count_nonzero(~known))
    apart = np.full(len(names), np.nan)
    apart[at] = separation_arcsec(ra[at], dec[at], found["ra"].to_numpy(), found["dec"].to_numpy())
    return Numbering(galaxy_id, known, apart)


def galaxy_ids(store: Store, names: Sequence[str]) -> list[int]:
    """Numbers of the galaxies called `names`, in that order.

    Raises `UnknownName`, with the nearest names, for the first that does not show in
    the catalogue.
    """
    rows = store.arrow(
        "SELECT iauname, galaxy_id FROM galaxies "
        "WHERE list_contains(CAST(? AS VARCHAR[]), iauname)",
        [list(names)],
    )
    known = dict(zip(rows["iauname"].to_pylist(), rows["galaxy_id"].to_pylist(), strict=True))
    for name in names:
        if name not in known:
            near = store.arrow(
                "SELECT iauname FROM galaxies "
                "ORDER BY jaro_winkler_similarity(iauname, ?) DESC LIMIT 3",
                [name],
            )["iauname"].to_pylist()
            hint = f"; nearest: {', '.join(near)}" if near else ""
            raise UnknownName(f"no galaxy {name!r} in {store.path}{hint}")
    return [known[name] for name in names]


def galaxies_named(store: Store, names: Iterable[str], *, underscored: bool) -> dict[str, int]:
    """Numbers of those galaxies that the catalogue has, by name.

    underscored: find a name with "_" for "." too, as galaxy-datasets writes its shards.
    """
    also = "OR replace(iauname, '.', '_') IN (FROM wanted)" if underscored else ""
    rows = store.arrow(
        "WITH wanted AS MATERIALIZED (SELECT unnest(CAST(? AS VARCHAR[]))) "
        f"SELECT iauname, galaxy_id FROM galaxy WHERE iauname IN (FROM wanted) {also}",
        [list(dict.fromkeys(names))],
    )
    return dict(zip(rows["iauname"].to_pylist(), rows["galaxy_id"].to_pylist(), strict=True))


def galaxy_table(numbering: Numbering, names: Sequence[str], ra: Floats, dec: Floats) -> pa.Table:
    """The rows of `galaxy` for those that are new, without their run."""
    new = ~numbering.known
    return pa.table(
        {
            "galaxy_id": pa.array(numbering.galaxy_id[new], pa.int64()),
            "iauname": pa.array([names[i] for i in np.flatnonzero(new).tolist()], pa.string()),
            "ra": pa.array(ra[new], pa.float64(), from_pandas=True),
            "dec": pa.array(dec[new], pa.float64(), from_pandas=True),
        }
    )


def fill_positions(store: Store, names: Sequence[str], ra: Floats, dec: Floats) -> None:
    """Give known galaxies without a position that of a table."""
    if not store.value("SELECT count(*) FROM galaxy WHERE ra IS NULL"):
        return
    given = np.flatnonzero(np.isfinite(ra)).tolist()
    store.execute(
        "UPDATE galaxy SET ra = p.ra, dec = p.dec FROM (SELECT unnest($1::VARCHAR[]) AS iauname, "
        "unnest($2::DOUBLE[]) AS ra, unnest($3::DOUBLE[]) AS dec) p "
        "WHERE galaxy.iauname = p.iauname AND galaxy.ra IS NULL",
        [[names[i] for i in given], ra[given].tolist(), dec[given].tolist()],
    )


def separation_arcsec(ra1: Floats, dec1: Floats, ra2: Floats, dec2: Floats) -> Floats:
    """Angle between positions in deg, arcsec: exact for small angles, by the chord."""

    def direction(ra: Floats, dec: Floats) -> Floats:
        lon, lat = np.radians(ra), np.radians(dec)
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])

    chord = np.linalg.norm(direction(ra1, dec1) - direction(ra2, dec2), axis=0)
    arcsec: Floats = np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1))) * 3600
    return arcsec
