"""A table whose rows are of galaxies of several catalogues: which catalogue has which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Flags, Ints
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store

_KNOWN = """SELECT r."row" FROM named_row r
SEMI JOIN known k ON k.iauname = r.name ORDER BY r."row\""""


@dataclass(frozen=True)
class Strangers:
    """Of rows that are of no galaxy of a catalogue: which of them are told there.

    Others are of galaxies of the other catalogues that share the table. rows: those of no galaxy of
    any, ascending; told: whether this catalogue tells them, and what else is wrong with the table:
    one of those that share it does.
    """

    rows: Ints
    told: bool

    def among(self, rows: Ints) -> Flags:
        """Which of some rows (N,) are to be told here as of no galaxy."""
        told: Flags = np.isin(rows, self.rows) & self.told
        return told


@dataclass(frozen=True)
class Shares:
    """How the rows of a table are shared out among catalogues.

    found: how many rows are of a galaxy of each that could be read; strangers: rows of none of
    these, ascending.
    """

    found: Mapping[Path, int]
    strangers: Ints

    def of(self, path: Path, *, every: bool) -> Strangers:
        """What one of the catalogues tells: the first that has a row, if every one was read."""
        first = next((other for other, rows in self.found.items() if rows), None)
        told = every and path == first
        return Strangers(self.strangers if told else self.strangers[:0], told)


def shares_of(
    named: Iterable[tuple[Ints, Sequence[str]]], paths: Sequence[Path], folder: Path
) -> Shares:
    """Look up the rows of a table, by their numbers and names, in the catalogues at `paths`.

    One that cannot be read has none. folder: where the names go if they are many.
    """
    numbers = [np.empty(0, np.int64)]
    settings: dict[str, Any] = {"temp_directory": str(folder)}
    with duckdb.connect(str(folder / "names.duckdb"), config=settings) as connection:
        connection.execute('CREATE TABLE named_row ("row" BIGINT, name VARCHAR)')
        for rows, names in named:
            numbers.append(rows)
            block = pa.table({"row": rows, "name": pa.array(names, pa.string())})
            connection.register("block", block)
            connection.execute("INSERT INTO named_row SELECT * FROM block")
        every = np.concatenate(numbers)
        known, found = np.zeros(len(every), bool), dict[Path, int]()
        for path in paths:
            try:
                with Store.open(path, read_only=True) as store:
                    names = store.arrow("SELECT iauname FROM galaxies")
            except CatalogError:
                continue
            connection.register("known", names)
            here = connection.execute(_KNOWN).to_arrow_table()["row"].to_numpy()
            known[np.searchsorted(every, here)] = True
            found[path] = len(here)
    return Shares(found, every[~known])
