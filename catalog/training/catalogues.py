"""The catalogues of a training: what each gives to it, and what is recorded in each.

Each catalogue has a run of its own in its ledger, with the split and the rejects of its own
galaxies. Runs name the whole training, so that the same catalogues with the same settings are the
same runs.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.galaxies import (
    galaxies_of_run,
    read_places,
    split_table,
)
from zoolens.catalog.store.matrices import predictions_state, votes_state
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.training.dataset import read_training_set
from zoolens.catalog.training.pixels import TrainingSet
from zoolens.catalog.training.splits import same_galaxies
from zoolens.catalog.trees.joint import columns_in, joint_tree

_SHARD = "galaxies"


@contextmanager
def all_open(paths: Sequence[Path]) -> Iterator[list[Store]]:
    """The catalogues, to write to, all of them or none.

    Raises as `Store.open` does for the first that cannot be opened, and `CatalogError` if one is
    there twice.
    """
    known: dict[object, Path] = {}
    for path in paths:
        before = known.setdefault(_identity(path), path)
        if before is not path:
            raise CatalogError(f"{before} and {path} are one catalogue; name each once")
    with ExitStack() as stack:
        yield [stack.enter_context(Store.open(path)) for path in paths]


def _identity(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:  # opening it says what is wrong
        return path.resolve()
    return found.st_dev, found.st_ino


@dataclass(frozen=True)
class Part:
    """What one catalogue gives.

    data: its galaxies, with the answers of its own tree; state: of its votes, images and
    predictions, JSON-able.
    """

    path: Path
    tree: DecisionTree
    data: TrainingSet
    state: Mapping[str, Any]


class Catalogues:
    """Several catalogues that are trained on together, or one.

    tree: the questions of all, `joint_tree`; data: the N galaxies of all, one catalogue's after
    another's, with the answers of that tree; moved: how many of them are the same as one of an
    earlier catalogue and have its split instead of their own.
    """

    def __init__(self, stores: Sequence[Store], parts: Sequence[Part]) -> None:
        self.parts = parts
        self.tree = joint_tree([part.tree for part in parts])
        self.data = _joined(parts, self.tree)
        self.moved = 0
        if len(parts) > 1:
            first = same_galaxies(self.data.galaxies, self._catalogue, *_positions(stores, parts))
            split = self.data.split[first]
            self.moved = int(np.sum(split != self.data.split))
            self.data = replace(self.data, split=split)

    @cached_property
    def _catalogue(self) -> Any:
        sizes = [len(part.data.galaxies) for part in self.parts]
        return np.repeat(np.arange(len(sizes)), sizes)

    def of(self, number: int) -> Flags:
        """Which of the N galaxies are those of a catalogue, (N,)."""
        mine: Flags = self._catalogue == number
        return mine

    def config(self, shared: Mapping[str, Any]) -> dict[str, Any]:
        """What identifies the whole training, JSON-able; shared: its settings."""
        states = [dict(part.state) for part in self.parts]
        return {**shared, **(states[0] if len(states) == 1 else {"catalogues": states})}

    def begin(
        self, stores: Sequence[Store], shared: Mapping[str, Any], origin: Mapping[str, str]
    ) -> list[Run]:
        """A run of each catalogue. Several know of each other, and where they are."""
        whole = self.config(shared)
        if len(stores) > 1:
            origin = {**origin, "catalogues": ", ".join(str(store.path) for store in stores)}
        return [
            store.begin("train", {**whole, **part.state}, origin=origin)
            for store, part in zip(stores, self.parts, strict=True)
        ]

    def committed(self, stores: Sequence[Store], runs: Sequence[Run]) -> bool:
        """Whether all catalogues know which of their galaxies can be shown."""
        return all(store.committed(run, _SHARD) for store, run in zip(stores, runs, strict=True))

    def usable(
        self,
        stores: Sequence[Store],
        runs: Sequence[Run],
        refused: Sequence[tuple[int, CatalogError]],
    ) -> Flags:
        """Which galaxies can be shown, (N,): those that catalogues know of, or all but `refused`.

        refused: places among the N, and why. Commits to each catalogue that does not know yet the
        split of those that can, and a reject for each of the others.
        """
        usable = np.ones(len(self.data.galaxies), dtype=bool)
        usable[[place for place, _ in refused]] = False
        for number, (store, run) in enumerate(zip(stores, runs, strict=True)):
            mine = self.of(number)
            data = self.data.where(mine)
            why = [(place, error) for place, error in refused if mine[place]]
            if store.committed(run, _SHARD):
                known = np.isin(data.galaxy_id, galaxies_of_run(store, run, "split"))
                usable[mine] = known
                for place, error in why:
                    if usable[place]:  # damaged while the training was interrupted
                        raise error
                continue
            shown = usable[mine]
            galaxies = [(self.data.galaxies[place], error) for place, error in why]
            rejects = [Reject(one.source, None, one.iauname, str(error)) for one, error in galaxies]
            rows = split_table(data.galaxy_id[shown], data.split[shown])
            store.commit(run, _SHARD, {"split": rows, "reject": reject_table(rejects)})
        return usable

    def remarks(self, runs: Sequence[Run], usable: Flags) -> list[str]:
        """What each of several catalogues gave, in words, and which galaxies they share."""
        if len(self.parts) == 1:
            return []
        said = []
        for number, (part, run) in enumerate(zip(self.parts, runs, strict=True)):
            mine = self.of(number)
            shown = mine & usable
            train = np.sum(self.data.split[shown] == "train")
            said.append(
                f"{part.path}: run {run.run_id}, tree {part.tree.name}, {train:,} of "
                f"{np.sum(shown):,} galaxies to train on; {np.sum(mine & ~usable):,} refused"
            )
        if self.moved:
            said.append(
                f"{self.moved:,} galaxies are also in an earlier catalogue under another name, and "
                "in its part of the split"
            )
        return said


def read_catalogues(
    stores: Sequence[Store],
    seed: int,
    held_out: float,
    error_rate: float | None,
    *,
    shuffled: bool = False,
) -> Catalogues:
    """What the catalogues give to a training.

    error_rate: by which votes are weighted down, of the newest predictions of each; None if they
    are not. Other arguments, and what is raised, as of `read_training_set`; and `CatalogError` for
    a catalogue without votes, or trees that one head cannot have.
    """
    parts = []
    for store in stores:
        store.needs_votes("training")
        noise = None if error_rate is None else (store.newest_run("predict"), error_rate)
        data = read_training_set(store, seed, held_out, noise, shuffled=shuffled)
        state = {
            "votes": votes_state(store),
            "images_sha256": data.images_sha256,
            "predictions": noise and predictions_state(store, noise[0]),
            "tree": store.tree.name,
        }
        parts.append(Part(store.path, store.tree, data, state))
    return Catalogues(stores, parts)


def _joined(parts: Sequence[Part], tree: DecisionTree) -> TrainingSet:
    """The galaxies of all parts, with the answers of a joint tree."""

    def spread(values: Floats, part: Part, elsewhere: float) -> Floats:
        wide = np.full((len(values), len(tree.labels)), elsewhere)
        wide[:, columns_in(tree, part.tree)] = values
        return wide

    if len(parts) == 1:
        return parts[0].data
    each = [part.data for part in parts]
    return TrainingSet(
        [galaxy for data in each for galaxy in data.galaxies],
        np.concatenate([spread(part.data.counts, part, 0) for part in parts]),
        np.concatenate([spread(part.data.worth, part, 1) for part in parts]),
        np.concatenate([data.split for data in each]),
        np.concatenate([data.sides for data in each]),
    )


def _positions(stores: Sequence[Store], parts: Sequence[Part]) -> tuple[Floats, Floats]:
    """Where the galaxies of all parts are, two arrays (N,), deg, ICRS; NaN where unknown."""
    pairs = zip(stores, parts, strict=True)
    places = [place for store, part in pairs for place in read_places(store, part.data.galaxy_id)]
    ra, dec = np.array([(place.ra, place.dec) for place in places], dtype=np.float64).T
    return ra, dec
