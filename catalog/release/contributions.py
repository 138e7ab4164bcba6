"""A catalogue that goes into a release: alone, or as one piece of a survey."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.holdings import Holdings, holdings_of
from zoolens.catalog.release.provenance import find_runs, run_records
from zoolens.catalog.store.released import Runs, galaxy_without_position, ledger_state
from zoolens.catalog.store.store import Store


@dataclass(frozen=True)
class Contribution:
    """What goes into a release of one catalogue.

    runs: the newest that belong together; held: what they made; records: of the ledger
    (`run_records`); unplaced: the first galaxy by name without a position, if there is one; state:
    of the ledger when all this was read.
    """

    path: Path
    runs: Runs
    held: Holdings
    records: list[dict[str, Any]]
    unplaced: str | None
    state: tuple[Any, ...]

    @classmethod
    def read(cls, path: Path) -> "Contribution":
        """Raises `CatalogError` as `find_runs` does."""
        with Store.open(path, read_only=True) as store:
            runs = find_runs(store)
            return cls(
                path,
                runs,
                holdings_of(store, runs),
                run_records(store, runs),
                galaxy_without_position(store),
                ledger_state(store),
            )

    @contextmanager
    def opened(self, scratch: Path) -> Iterator[Store]:
        """Its catalogue, with bounded memory, and the folder `scratch` for the rest.

        Raises `CatalogError` if anything has been written to it since it was read.
        """
        with Store.open(self.path, read_only=True) as store:
            if ledger_state(store) != self.state:
                raise CatalogError(f"{self.path} was written to meanwhile; release it again")
            store.bound_memory(scratch)
            yield store
