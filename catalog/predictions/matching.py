"""Which galaxies of a catalogue a table of predictions is about, and which it brings."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zoolens.catalog.arrays import Floats, Ids, Ints
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.bounds import MOST_FAULTS
from zoolens.catalog.formats.identifiers import check_digits
from zoolens.catalog.predictions.table import PredictionTable, Wanted, too_many_faults
from zoolens.catalog.store.galaxies import next_number
from zoolens.catalog.store.named_rows import NamedRows
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.store.sharing import Strangers
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.votes.checks import check_identifiers, check_positions, repeated_reason
from zoolens.catalog.votes.layouts import position_columns

UNKNOWN = "unknown galaxy"  # the kind of reject that a later ingest may resolve
# Rows of unknown galaxies that are told one by one; more are told together: predictions of a whole
# survey may come into a catalogue of a few of its galaxies.
MOST_TOLD = 10_000
_DIGITS_LOOKED_AT = 10_000


@dataclass(frozen=True)
class Match:
    """The rows of a table that are of galaxies of the catalogue, and what is wrong with others."""

    wanted: Wanted
    rejects: list[Reject]


def match_rows(store: Store, table: PredictionTable, strangers: Strangers | None = None) -> Match:
    """Find the galaxies of a table's rows; refuse rows without one, or with that of another row.

    strangers: of a table that other catalogues share. Raises `TableRefused` if the table has no
    row, its identifiers went through floating point, or there is too much wrong with it.
    """
    rejects: list[Reject] = []
    with NamedRows(store) as named:
        _read_names(table, named, rejects)
        matched = named.matched()
        unknown = matched.rows[matched.galaxy_id < 0]
        known = matched.galaxy_id >= 0
        rows, galaxy_id = matched.rows[known], matched.galaxy_id[known]
        again, first = _repeated(galaxy_id)
        if len(rejects) + len(again) > MOST_FAULTS:
            raise too_many_faults(table.path)
        if strangers is not None:
            unknown = unknown[strangers.among(unknown)]
            rejects = rejects if strangers.told else []
        rejects += _unknown(table, named, unknown)
        names = named.names(rows[again])
        rejects += [
            Reject(str(table.path), row, names[row], repeated_reason(earlier))
            for row, earlier in zip(rows[again].tolist(), rows[first].tolist(), strict=True)
        ]
    kept = np.ones(len(rows), dtype=bool)
    kept[again] = False
    if strangers is None or strangers.told:
        rejects += table.remarks()
    return Match(Wanted(rows[kept], galaxy_id[kept]), rejects)


def new_galaxies(store: Store, table: PredictionTable, run: Run) -> Wanted:
    """The first row of each galaxy of a table, numbered, for a catalogue without any.

    run: that they are made by; those that it has made already keep their numbers.
    """
    with NamedRows(store) as named:
        _read_names(table, named, [])
        rows = named.first_rows()
    return Wanted(rows, next_number(store, but=run) + np.arange(len(rows)))


@dataclass(frozen=True)
class NewGalaxies:
    """Some galaxies that a table brings: (N,) each; ra, dec in deg, NaN where unknown."""

    galaxy_id: Ids
    names: list[str]
    ra: Floats
    dec: Floats
    rejects: list[Reject]


def read_new_galaxies(table: PredictionTable, wanted: Wanted) -> Iterator[NewGalaxies]:
    """The names and, where the table has them, positions of wanted rows, in file order.

    Rows with a position out of range are refused.
    """
    position = position_columns(table.columns)
    columns = dict.fromkeys([*table.identifiers, *(position or ())])
    for rows in table.blocks([*columns]):
        check_identifiers(rows)
        ra, dec = np.full((2, len(rows.numbers)), np.nan)
        rows.rejects.clear()  # told when the rows are matched
        if position is not None:
            ra, dec = check_positions(rows, position)
        here, galaxy_id = wanted.among(rows.numbers)
        good = rows.good[here]
        here, galaxy_id = here[good], galaxy_id[good]
        names = [rows.names[i] or "" for i in here.tolist()]
        yield NewGalaxies(galaxy_id, names, ra[here], dec[here], rows.rejects)


def _read_names(table: PredictionTable, named: NamedRows, rejects: list[Reject]) -> None:
    """Keep the names of all rows, and what is wrong with those that have none."""
    found = False
    long: list[str] = []
    for rows in table.blocks(table.identifiers):
        found = True
        check_identifiers(rows)
        good = np.flatnonzero(rows.good)
        names = [rows.names[i] or "" for i in good.tolist()]
        named.add(rows.numbers[good], names)
        if len(long) < _DIGITS_LOOKED_AT:
            long += (name for name in names if len(name) in (18, 19))
        rejects += rows.rejects
        if len(rejects) > MOST_FAULTS:
            raise too_many_faults(table.path)
    if not found:
        raise TableRefused(f"{table.path} has a header but no row of that length; is it complete?")
    check_digits(table.path, table.layout.identifier, long)


def _repeated(galaxy_id: Ids) -> tuple[Ints, Ints]:
    """Positions (R,) of galaxies that occur earlier too, and the first position (R,) of each."""
    order = np.argsort(galaxy_id, kind="stable")
    sorted_ids = galaxy_id[order]
    starts = np.concatenate([[True], sorted_ids[1:] != sorted_ids[:-1]])[: len(order)]
    heads = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
    again = np.flatnonzero(~starts)
    in_file_order = np.argsort(order[again])
    return order[again][in_file_order], order[heads[again]][in_file_order]


def _unknown(table: PredictionTable, named: NamedRows, rows: Ints) -> list[Reject]:
    """What to say of rows of galaxies that the catalogue does not have."""
    if len(rows) <= MOST_TOLD:
        names = named.names(rows)
        reason = f"{UNKNOWN}: the catalogue has none of that name"
        return [Reject(str(table.path), row, names[row], reason) for row in rows.tolist()]
    (first,) = named.names(rows[:1]).values()
    reason = (
        f"{UNKNOWN}: {len(rows):,} rows are of galaxies that the catalogue does not have, the "
        f"first of them row {rows[0]}, {first}"
    )
    return [Reject(str(table.path), None, None, reason)]
