"""Galaxies of a catalogue: their numbers, names, positions, images and splits."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Floats, Ids, Ints
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.store.matrices import read_rows
from zoolens.catalog.store.shown import valid
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.tables import arrow_schema

# If two positions of one name differ by more, they are two galaxies, or one is wrong.
SAME_PLACE_ARCSEC = 1.0

_GALAXIES = "SELECT galaxy_id, iauname, image, image_member, image_sha256 FROM galaxies"
_NUMBERS = "numbers of galaxies"
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
    """Number galaxies: known ones keep their number, new ones follow the last, in order.

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
    first = next_number(store)
    galaxy_id = np.empty(len(names), dtype=np.int64)
    galaxy_id[at] = found["galaxy_id"].to_numpy()
    galaxy_id[~known] = np.arange(first, first + np.count_nonzero(~known))
    apart = np.full(len(names), np.nan)
    apart[at] = separation_arcsec(ra[at], dec[at], found["ra"].to_numpy(), found["dec"].to_numpy())
    return Numbering(galaxy_id, known, apart)


def galaxy_ids(store: Store, names: Sequence[str]) -> list[int]:
    """Numbers of the galaxies called `names`, in that order.

    Raises `UnknownName`, with the nearest names, for the first that the catalogue does not
    show.
    """
    known = shown_galaxies(store, names)
    for name in names:
        if name not in known:
            near = store.rows(
                "SELECT iauname FROM galaxies "
                "ORDER BY jaro_winkler_similarity(iauname, ?) DESC, iauname LIMIT 3",
                [name],
            )
            hint = f"; nearest: {', '.join(row[0] for row in near)}" if near else ""
            raise UnknownName(f"no galaxy {name!r} in {store.path}{hint}")
    return [known[name] for name in names]


def shown_galaxies(store: Store, names: Iterable[str]) -> dict[str, int]:
    """Numbers of those galaxies that the catalogue shows, by name."""
    rows = store.arrow(
        "SELECT iauname, galaxy_id FROM galaxies "
        "SEMI JOIN (SELECT unnest(CAST(? AS VARCHAR[])) AS iauname) USING (iauname)",
        [list(names)],
    )
    return dict(zip(rows["iauname"].to_pylist(), rows["galaxy_id"].to_pylist(), strict=True))


def galaxies_named(
    store: Store, names: Iterable[str], *, underscored: bool, but: Run | None = None
) -> dict[str, int]:
    """Numbers of those galaxies that the catalogue has, by name; also of unfinished ingests.

    underscored: also find a name written with "_" for ".", as in galaxy-datasets' shards. but:
    a run whose own galaxies are left out.
    """
    also = "OR replace(iauname, '.', '_') IN (FROM wanted)" if underscored else ""
    rows = store.arrow(
        "WITH wanted AS MATERIALIZED (SELECT unnest(CAST(? AS VARCHAR[]))) "
        "SELECT iauname, galaxy_id FROM galaxy "
        f"WHERE (iauname IN (FROM wanted) {also}) AND run_id <> ?",
        [list(dict.fromkeys(names)), but.run_id if but else -1],
    )
    return dict(zip(rows["iauname"].to_pylist(), rows["galaxy_id"].to_pylist(), strict=True))


def number_of_galaxies(store: Store) -> int:
    """How many galaxies the catalogue shows."""
    return int(store.value("SELECT count(*) FROM galaxies"))


def next_number(store: Store, *, but: Run | None = None) -> int:
    """The number of the next new galaxy; but: a run whose own galaxies do not count."""
    last = store.value(
        "SELECT max(galaxy_id) FROM galaxy WHERE run_id <> ?", [but.run_id if but else -1]
    )
    return int(store.noted(_NUMBERS).get("follow", 0) if last is None else last) + 1


def number_after(store: Store, number: int, piece: str | None = None) -> None:
    """Let the galaxies of a new catalogue follow a number: that of a piece of a survey.

    piece: what the piece is called, by which `check_is` knows it again.
    """
    with store.transaction():
        noted = json.dumps({"follow": number, "piece": piece})
        store.execute("INSERT INTO setting VALUES (?, ?)", [_NUMBERS, noted])


def check_is(store: Store, piece: str) -> None:
    """Raises `CatalogError` for a catalogue that was made as another piece of a survey."""
    made_as = store.noted(_NUMBERS).get("piece")
    if made_as not in (None, piece):
        raise CatalogError(
            f"{store.path} is a copy of another piece, {made_as}, in the place of {piece}; restore "
            "each from its own copy"
        )


def names_of(store: Store, galaxy_id: Iterable[int]) -> dict[int, str]:
    """Names of galaxies by number."""
    wanted = np.unique(np.fromiter(galaxy_id, np.int64))
    rows = read_rows(store, "SELECT galaxy_id, iauname FROM galaxy", wanted)
    return dict(zip(rows["galaxy_id"].to_pylist(), rows["iauname"].to_pylist(), strict=True))


def galaxy_table(numbering: Numbering, names: Sequence[str], ra: Floats, dec: Floats) -> pa.Table:
    """The rows of `galaxy` for the new galaxies, without their run."""
    new = ~numbering.known
    return pa.table(
        {
            "galaxy_id": numbering.galaxy_id[new],
            "iauname": [names[i] for i in np.flatnonzero(new).tolist()],
            "ra": pa.array(ra[new], from_pandas=True),
            "dec": pa.array(dec[new], from_pandas=True),
        },
        schema=arrow_schema("galaxy"),
    )


def fill_positions(store: Store, names: Sequence[str], ra: Floats, dec: Floats) -> None:
    """Give known galaxies without a position the one from a table."""
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


def galaxies_with_image(store: Store) -> Ids:
    """Numbers of all galaxies that have an image, ascending."""
    return _ids(store, "SELECT galaxy_id FROM galaxies WHERE image IS NOT NULL")


def number_with_image(store: Store) -> int:
    """How many galaxies have an image."""
    return int(store.value("SELECT count(*) FROM galaxies WHERE image IS NOT NULL"))


def has_examples(store: Store) -> bool:
    """Whether a galaxy has both an image and votes."""
    sql = "SELECT 1 FROM galaxies SEMI JOIN votes USING (galaxy_id) WHERE image IS NOT NULL LIMIT 1"
    return store.value(sql) is not None


def galaxies_of_run(store: Store, run: Run, table: str) -> Ids:
    """Numbers of the galaxies of which a run has valid rows in a table, ascending."""
    # a galaxy has rows for all answers or none, so the first answer suffices
    first = "AND answer_id = 0" if table in ("prediction", "loss") else ""
    sql = f"SELECT DISTINCT galaxy_id FROM {valid(table)} WHERE run_id = ? {first}"
    return _ids(store, sql, run.run_id)


def galaxies_in_split(store: Store, split: str) -> Ids:
    """Numbers of the galaxies that the newest training used so (one of `SPLITS`), ascending."""
    return _ids(store, "SELECT galaxy_id FROM galaxies WHERE split = ?", split)


def _ids(store: Store, sql: str, *parameters: object) -> Ids:
    ids: Ids = store.arrow(f"{sql} ORDER BY galaxy_id", parameters)["galaxy_id"].to_numpy()
    return ids


def read_galaxies(store: Store, galaxy_id: Ids) -> list[Galaxy]:
    """The galaxies numbered `galaxy_id` (N,), ascending, in that order."""
    rows = read_rows(store, _GALAXIES, galaxy_id).sort_by("galaxy_id")
    return [Galaxy(*row.values()) for row in rows.to_pylist()]


def image_sides(store: Store, galaxy_id: Ids) -> Ints:
    """The smaller side of the images of galaxies (N,), ascending, pixel."""
    sql = "SELECT galaxy_id, least(image_height, image_width) AS side FROM galaxies"
    sides: Ints = read_rows(store, sql, galaxy_id)["side"].to_numpy()
    return sides


def image_facts(store: Store, galaxy_id: Sequence[int]) -> pa.Table:
    """Names, positions and images of those galaxies that have an image.

    Columns galaxy_id, iauname, ra, dec, source, member, format, sha256.
    """
    wanted = ", ".join(map(str, galaxy_id)) or "NULL"
    return store.arrow(
        f"""SELECT galaxy_id, iauname, ra, dec, image AS source, image_member AS member,
    image_format AS format, image_sha256 AS sha256 FROM galaxies
WHERE galaxy_id IN ({wanted}) AND image IS NOT NULL"""
    )


class Place(NamedTuple):
    """A galaxy and where it is: deg, ICRS, None where unknown."""

    galaxy_id: int
    iauname: str
    ra: float | None
    dec: float | None


def read_places(store: Store, galaxy_id: Ids) -> list[Place]:
    """The positions of galaxies (N,), ascending, in that order."""
    rows = read_rows(store, "SELECT galaxy_id, iauname, ra, dec FROM galaxy", galaxy_id)
    return [Place(**row) for row in rows.sort_by("galaxy_id").to_pylist()]


def positions(store: Store) -> pa.RecordBatchReader:
    """The positions, ra and dec, of all galaxies that have one, some at a time."""
    sql = "SELECT ra, dec FROM galaxy WHERE ra IS NOT NULL AND dec IS NOT NULL"
    return store.batches(sql, [], 2**16)


def split_galaxies(names: Sequence[str], seed: int, held_out: float) -> npt.NDArray[np.str_]:
    """The split of each galaxy, (N,) of `SPLITS`.

    held_out: expected share that is not trained on, 0..1; one half of it validates
    (when to stop, which epoch is best), the other half tests. A galaxy's place is the
    first 8 bytes of SHA-256 of "seed:name" as a fraction u of 2**64: test below half
    of `held_out`, validation below `held_out`, train from there on. So no galaxy moves when
    others come, and the share of N galaxies has a standard deviation of
    sqrt(held_out (1 - held_out) / N): 0.2 of 50 is seldom 10, but between 4 and 16.
    """
    places = np.array([_place(f"{seed}:{name}") for name in names], dtype=np.float64)
    return np.select([places < held_out / 2, places < held_out], ["test", "validation"], "train")


def split_table(galaxy_id: Ids, split: npt.NDArray[np.str_]) -> pa.Table:
    """The rows of `split`, without their run."""
    return pa.table({"galaxy_id": galaxy_id, "split": split.tolist()}, schema=arrow_schema("split"))


def _place(key: str) -> float:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
