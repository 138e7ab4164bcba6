"""A cluster as jobs see it: an executor, and what workers are asked before it is used."""

import pickle
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from zoolens.catalog.cluster.asked import Asked, read_cluster
from zoolens.catalog.cluster.folder import check_room, parts_folder, tell_left
from zoolens.catalog.cluster.working import Needed, seen_files
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts.computing import ThroughFolder
from zoolens.catalog.runtime.progress import remark

Item = TypeVar("Item")
Result = TypeVar("Result")

PART_BYTES = 4 << 20  # of a part file, at most, about
_LOOKED_AT = 3  # images that each worker must see


class Crew:
    """Workers of a cluster, which starts when it is first needed."""

    def __init__(self, asked: Asked, needed: Needed | None = None) -> None:
        self._asked, self._needed = asked, needed or Needed()
        self._open = ExitStack()
        self._team: Any = None

    @property
    def team(self) -> Any:
        """The workers, connected."""
        if self._team is None:
            from zoolens.catalog.cluster.connecting import connected
            from zoolens.catalog.cluster.team import Team

            client, said = self._open.enter_context(connected(self._asked))
            remark(f"dashboard: {client.dashboard_link}")
            team = Team(client, self._asked, said)
            team.needed = self._needed
            team.tell_versions()
            self._team = team
        return self._team

    def close(self) -> None:
        """End what was started."""
        self._open.close()

    def agreed(self, choose: Callable[[], str]) -> str:
        """What all workers choose. Raises `CatalogError` if they do not agree."""
        return str(self.team.agreed(choose))

    def check(self, ready: Callable[[], object], galaxies: Sequence[Galaxy]) -> None:
        """Raises `CatalogError` if no worker is ready, or sees the images."""
        files = seen_files([galaxy.source for galaxy in galaxies[:_LOOKED_AT]])
        self.team.needed = self._needed._replace(files=files)
        self.team.everywhere(partial(_ready, ready))

    def check_parts(
        self, folder: Path, ready: Callable[[], object], galaxies: Sequence[Galaxy]
    ) -> None:
        """As `check`; raises `CatalogError` also if the folder has too little room."""
        from zoolens.catalog.cluster.ordered import AHEAD

        self.check(ready, galaxies)
        check_room(folder, AHEAD * self.team.threads, PART_BYTES)

    def __call__(
        self, function: Callable[[Item], Result], items: Iterable[Item], /
    ) -> Generator[Result, None, None]:
        """Results, or `Failed`, in the order of the items."""
        from zoolens.catalog.cluster.ordered import ordered

        pack = partial(self.team.task, pickle.dumps(function))
        yield from ordered(self.team, pack, items, "zoolens")


def _ready(ready: Callable[[], object], _: None) -> None:
    ready()


@contextmanager
def crew(asked: str, folder: Path | None = None) -> Iterator[Crew]:
    """The workers that `--cluster` asks for, each of which sees the folder, if there is one.

    Raises `CatalogError` for what cannot be asked for, and a folder that is in use.
    """
    wanted = read_cluster(asked)
    with parts_folder(folder) if folder else nullcontext(Needed()) as needed:
        hands = Crew(wanted, needed)
        try:
            yield hands
        finally:
            hands.close()


@contextmanager
def through_cluster(asked: str, folder: Path) -> Iterator[ThroughFolder]:
    """Parts computed by the workers that `--cluster` asks for, their rows through a folder.

    Raises `CatalogError` for what cannot be asked for, and a folder that is in use.
    """
    folder = folder.absolute()
    with crew(asked, folder) as hands:
        yield ThroughFolder(folder, hands, hands.agreed, partial(hands.check_parts, folder))
    tell_left(folder)
