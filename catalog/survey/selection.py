"""What more votes are worth, over all catalogues of a survey or of one.

Of each catalogue only its best galaxies are held; if they are used up, its scores are read again.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, NothingHere
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.selection.acquisition import read_scores
from zoolens.catalog.selection.choosing import Pick
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.matrices import compared_galaxies
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import Comparison, with_sources
from zoolens.catalog.survey.folder import is_survey, whole_survey

_SPARE = 64  # galaxies of a catalogue that are held at least
_MORE = 4  # times as many when they are used up


@dataclass(frozen=True)
class Worth:
    """How galaxies are scored, as `read_scores` takes it; quotas: questions that have one."""

    by: str
    quotas: Sequence[str] = ()
    min_votes: float = 0
    max_votes: float | None = None
    where: str | None = None


Named = tuple[float, str, Pick]  # less for a better pick, equals by name
Held = dict[str | None, list[Named]]


class BestOfAll:
    """The best galaxies of all catalogues, in order.

    tree: theirs; without_image: galaxies that have a score but no image; piece and run_id: of a
    pick, the place of its catalogue, and the run there that its score comes from.
    """

    def __init__(self, catalog: Path, worth: Worth, budget: int) -> None:
        """Read the scores of each catalogue in turn.

        Raises `CatalogError` if catalogues show other models or weights, one lacks what the others
        have, nothing has a score, or nothing on a question with a quota.
        """
        named = whole_survey(catalog).named if is_survey(catalog) else {catalog.name: catalog}
        paths = [*named.values()]
        self._paths, self._worth = paths, worth
        self._size = _SPARE + _MORE * budget // len(paths)
        self._runs: dict[int, int] = {}
        self._piece: dict[int, int] = {}
        self.without_image = 0
        self.tree = check_scored(named, worth.by, catalog)
        self._held: dict[int, Held] = {}
        nothing: list[NothingHere] = []
        with progress("scores", len(paths)) as bar:
            for number in range(len(paths)):
                try:
                    self._held[number] = self._read(number, self._size)
                except NothingHere as error:
                    nothing.append(error)
                bar.advance()
        if not self._held:
            raise nothing[0]
        for quota in worth.quotas:
            if not any(held[quota] for held in self._held.values()):
                raise CatalogError(
                    f"no galaxy has a score above 0 for {quota}; leave out its quota"
                )

    def best(self, quota: str | None) -> Iterator[Pick]:
        """Picks for a quota's question, or all, as `catalog.selection.choosing.choose` takes."""
        of_each = [self._of(number, quota) for number in self._held]
        for _, _, pick in heapq.merge(*of_each, key=lambda one: one[:2]):
            yield pick

    def piece(self, pick: Pick) -> int:
        """The place of its catalogue."""
        return self._piece[pick.galaxy_id]

    def run_id(self, pick: Pick) -> int:
        """The run of its catalogue that its score comes from."""
        return self._runs[self.piece(pick)]

    def _of(self, number: int, quota: str | None) -> Iterator[Named]:
        held, size = self._held[number][quota], self._size
        yield from held
        while len(held) == size:  # there may be more
            size *= _MORE
            more = self._read(number, size)[quota]
            yield from more[len(held) :]
            held = more

    def _read(self, number: int, size: int) -> Held:
        """The `size` best picks of a catalogue, by quota."""
        worth, found = self._worth, dict[str | None, list[Named]]()
        names = [question.name for question in self.tree.questions]
        with Store.open(self._paths[number], read_only=True) as store:
            if not _has_runs(store, worth.by):
                raise NothingHere(f"{store.path} has no {worth.by}")
            scores = read_scores(
                store,
                worth.by,
                quotas=worth.quotas,
                min_votes=worth.min_votes,
                max_votes=worth.max_votes,
                where=worth.where,
            )
            for quota in [*worth.quotas, None]:
                places, values = (part[:size] for part in scores.best(quota))
                ids = scores.galaxy_id[places]
                called = names_of(store, ids)
                given = zip(
                    ids.tolist(), scores.question[places].tolist(), values.tolist(), strict=True
                )
                found[quota] = [
                    (
                        -value,
                        called[one],
                        Pick(
                            one,
                            q if quota is None else names.index(quota),
                            value,
                            quota is not None,
                        ),
                    )
                    for one, q, value in given
                ]
                self._piece |= dict.fromkeys(ids.tolist(), number)
        if number not in self._runs:
            self._runs[number] = scores.run_id
            self.without_image += scores.without_image
        return found


def check_scored(named: Mapping[str, Path], by: str, folder: Path) -> DecisionTree:
    """The tree of catalogues whose scores can be compared; warns of those that are outdated.

    Raises `CatalogError`, naming them, if they are of several trees, models or weights, or if one
    is not yet predicted or scored.
    """
    job = "score" if by == "loss" else "predict"
    trees, compared = [], Comparison(folder, [job])
    for name, path in named.items():
        with Store.open(path, read_only=True) as store:
            trees.append(store.tree)
            compared.note(name, store)
            if not _has_runs(store, by):
                continue
            store.newest_run(job)  # which says what is to be done
            if len(named) == 1:
                warn_of(store, *with_sources([job]))
            else:
                compared.note_outdated(name, store, with_sources([job]))
    compared.check()
    compared.tell()
    if all(one.lacks([job]) for one in compared.pieces):
        with Store.open(next(iter(named.values())), read_only=True) as store:
            store.newest_run(job)
    return trees[0]


def _has_runs(store: Store, by: str) -> bool:
    """Whether a catalogue has scores, or should have; by loss, one without votes has none."""
    if by != "loss" or store.shown_run("score") is not None:
        return True
    return store.has_votes and len(compared_galaxies(store, store.newest_run("predict"))) > 0
