"""What a release is to hold, chosen among what there is."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.columns import chosen_columns
from zoolens.catalog.release.holdings import Holdings
from zoolens.catalog.release.long_tables import LongTable, long_tables
from zoolens.catalog.store.row_filter import RowFilter


@dataclass(frozen=True)
class Contents:
    """What a release holds.

    every: all columns that there are, which `condition` (SQL or None) may use; columns: those
    of the table of galaxies; min_votes: how many volunteers must have been
    asked a question for its answers to rank, for the galaxy to be there at all, and, of the
    question of the answer, for it to be a counterpart, where 0 is the default of `find_many`;
    counterparts: of how many of the worst galaxies; tables: the long tables.
    """

    every: pa.Schema
    columns: pa.Schema
    condition: str | None
    min_votes: float
    counterparts: int
    tables: Sequence[LongTable]

    @property
    def chosen(self) -> bool:
        """Whether not every galaxy is there."""
        return self.condition is not None or self.min_votes > 0


def chosen_contents(
    held: Holdings,
    *,
    preset: str,
    columns: Sequence[str],
    where: str | None,
    min_votes: float,
    counterparts: int,
) -> Contents:
    """What of `held` is to be written.

    Raises `UnknownName` and `CatalogError` for columns and conditions that cannot be, before any
    work.
    """
    every = held.columns
    chosen = chosen_columns(every, held.answers, preset, columns, held.estimates, held.kept)
    if where is not None:
        RowFilter(where, every)
    named = any("_counterpart" in text for text in (*chosen.names, where or ""))
    tables = long_tables(held) if preset == "full" and not columns else []
    return Contents(every, chosen, where, min_votes, counterparts if named else 0, tables)


def check_for_hats(contents: Contents, unplaced: str | None) -> None:
    """Raises `CatalogError` at once for what HATS would refuse after all is written.

    unplaced: a galaxy without a position, if there is one.
    """
    if not {"ra", "dec"} <= {*contents.columns.names}:
        raise CatalogError("HATS needs the positions; name the columns ra and dec too")
    if unplaced is not None and not contents.chosen:
        raise CatalogError(
            f"HATS needs positions, and some galaxies have none, such as {unplaced}; leave them "
            'out with --where "ra IS NOT NULL"'
        )
