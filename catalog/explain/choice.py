"""Which galaxies are explained, for which answer, beside which counterparts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.similarity.counterparts import Counterpart, find_counterparts
from zoolens.catalog.store.galaxies import galaxies_with_image, galaxy_ids, names_of
from zoolens.catalog.store.matrices import read_predictions, read_votes
from zoolens.catalog.store.ranking import costliest_answers, rank_galaxies
from zoolens.catalog.store.store import Store


@dataclass(frozen=True)
class Choice:
    """A galaxy to explain and the answer to draw, None where no answer costs it."""

    galaxy_id: int
    answer_id: int | None


@dataclass(frozen=True)
class Subject:
    """A galaxy to draw, its counterparts for an answer, and why one is lacking."""

    galaxy_id: int
    answer_id: int
    observed: Counterpart | None
    predicted: Counterpart | None
    notes: tuple[str, ...]

    @property
    def galaxies(self) -> list[int]:
        """The galaxy itself and those that it is drawn with."""
        others = [c.galaxy_id for c in (self.observed, self.predicted) if c is not None]
        return [self.galaxy_id, *others]


def check_way(galaxies: Sequence[str], worst: int | None, everything: bool) -> None:
    """Raises `CatalogError` where not exactly one way of saying which galaxies is used."""
    if (len(galaxies) > 0) + (worst is not None) + everything != 1:
        raise CatalogError("say what to explain: names of galaxies, or --worst N, or --all")


def choose(
    store: Store,
    galaxies: Sequence[str],
    worst: int | None,
    everything: bool,
    answer_id: int | None,
    min_votes: float = 0,
) -> list[Choice]:
    """The galaxies to draw: by name, the `worst` N by loss, or all with an image.

    answer_id: the answer to draw for all of them (and to rank the worst by); unless
    given, each galaxy's own costliest (its largest weighted_ce). min_votes: see
    `catalog.store.ranking`. Raises `CatalogError` as `check_way` does or where there is nothing
    to rank, `UnknownName` for a galaxy that is not there.
    """
    check_way(galaxies, worst, everything)
    if worst is not None:
        label = None if answer_id is None else store.tree.labels[answer_id]
        ranking = rank_galaxies(store, worst, min_votes=min_votes, label=label)
        if not len(ranking):
            raise CatalogError(
                f"no galaxy of {store.path} has such a loss; ask for fewer votes or another answer"
            )
        pairs = ranking.select(["galaxy_id", "answer_id"]).to_pylist()
        return [Choice(**pair) for pair in pairs]
    if everything:
        ids = galaxies_with_image(store).tolist()
    else:
        ids = list(dict.fromkeys(galaxy_ids(store, galaxies)))
    if answer_id is not None:
        return [Choice(galaxy_id, answer_id) for galaxy_id in ids]
    costliest = costliest_answers(store, ids)
    return [Choice(galaxy_id, costliest.get(galaxy_id)) for galaxy_id in ids]


def find_subjects(store: Store, choices: Sequence[Choice]) -> list[Subject]:
    """Each choice with its two counterparts.

    A galaxy whose votes or prediction of the answer are missing has none, and a note
    that says so. Raises `CatalogError` where a choice has no answer, or there is no
    current similarity index.
    """
    subjects = []
    for choice in choices:
        if choice.answer_id is None:
            name = names_of(store, [choice.galaxy_id])[choice.galaxy_id]
            raise CatalogError(
                f"no answer of {name} has a loss to choose it by; name one with --answer LABEL"
            )
        subjects.append(_subject(store, choice.galaxy_id, choice.answer_id))
    return subjects


def _subject(store: Store, galaxy_id: int, answer_id: int) -> Subject:
    tree = store.tree
    ids = np.array([galaxy_id])
    voted = read_votes(store, tree, ids).observed[0, answer_id]
    fractions, _ = read_predictions(store, tree, store.newest_run("predict"), ids)
    for value, lack in ((voted, "votes"), (fractions[0, answer_id], "prediction")):
        if np.isnan(value):
            note = f"No counterparts: the galaxy has no {lack} to exchange for this answer."
            return Subject(galaxy_id, answer_id, None, None, (note,))
    found = find_counterparts(store, galaxy_id, answer_id)
    observed = found.observed[0] if found.observed else None
    predicted = found.predicted[0] if found.predicted else None
    note = "No counterparts: no other galaxy has votes and predictions."
    notes = () if observed and predicted else (note,)
    return Subject(galaxy_id, answer_id, observed, predicted, notes)
