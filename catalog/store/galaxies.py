"""Galaxies of a catalogue: who is known, who is new, where they are on the sky."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.errors import UnknownName
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.store.matrices import read_rows
from zoolens.catalog.store.store import Store

# Two positions of one name that differ by more are two galaxies, or an error.
SAME_PLACE_ARCSEC = 1.0

_GALAXIES = "SELECT galaxy_id, iauname, image, image_member, image_sha256 FROM galaxies"
_READ = 4096  # galaxies, about, looked up together
SPLITS = ("train", "validation", "test")


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


def in_batches(store: Store, galaxy_id: Ids, size: int) -> Iterator[list[Galaxy]]:
    """Galaxies numbered `galaxy_id` (N,), ascending, `size` at a time.

    They are read as they are asked for: a survey of them does not fit in memory.
    """
    at_once = size * max(1, _READ // size)
    for start in range(0, len(galaxy_id), at_once):
        rows = read_rows(store, _GALAXIES, galaxy_id[start : start + at_once])
        found = [Galaxy(*row.values()) for row in rows.sort_by("galaxy_id").to_pylist()]
        yield from (found[i : i + size] for i in range(0, len(found), size))


def split_galaxies(names: Sequence[str], seed: int, held_out: float) -> npt.NDArray[np.str_]:
    """The split of each galaxy, (N,) of `SPLITS`.

    held_out: expected share that is not trained on, 0..1; one half of it validates
    (when to stop, which epoch is best), the other half tests. A galaxy's place is the
    first 8 bytes of SHA-256 of "seed:name" as a fraction u of 2**64: test below half
    of `held_out`, validation below `held_out`, train from there on.
    """
    places = np.array([_place(f"{seed}:{name}") for name in names], dtype=np.float64)
    return np.select([places < held_out / 2, places < held_out], ["test", "validation"], "train")


def split_table(galaxy_id: npt.NDArray[np.int64], split: npt.NDArray[np.str_]) -> pa.Table:
    """The rows of `split`, without their run."""
    return pa.table(
        {
            "galaxy_id": pa.array(galaxy_id, pa.int64()),
            "split": pa.array(split.tolist(), pa.string()),
        }
    )


def _place(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
