"""Which galaxies are explained, for which answer, beside which counterparts."""

from collections.abc import Sequence
from dataclasses import dataclass

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.similarity.counterparts import Counterpart, Counterparts, find_many
from zoolens.catalog.similarity.exchange import Exchange, check_exchange
from zoolens.catalog.store.galaxies import galaxies_with_image, galaxy_ids, names_of
from zoolens.catalog.store.ranking import (
    costliest_answers,
    most_asked,
    rank_galaxies,
    why_none,
)
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.telling import telling_answers

NOBODY_VOTED = (
    "Nobody voted on this galaxy: it is shown beside the one that is predicted most alike. "
    "Counterparts exchange votes and prediction."
)


@dataclass(frozen=True)
class Which:
    """Which galaxies are explained, and for which answer they are drawn.

    Give one of names: of galaxies; worst: how many, by loss; everything: all with an image.
    where: of the worst, only galaxies of this condition (`catalog.store.row_filter`).
    min_votes: only answers count whose question so many volunteers were asked, and only
    counterparts of which so many were asked the question of the answer; unless given
    `FEWEST_VOTES`, and fewer where a galaxy has no such answer, or there are too few such
    counterparts. exchange: what counterparts exchange (`find_counterparts`). answer: the one to
    draw for all of them, and to rank the worst by; by default each galaxy's costliest (its
    largest weighted_ce), or, where nobody voted, its most telling (`telling_answers`). Raises
    `CatalogError` unless exactly one of the three is given, and for a condition without the worst.
    """

    names: Sequence[str] = ()
    worst: int | None = None
    everything: bool = False
    min_votes: float | None = None
    answer: str | None = None
    where: str | None = None
    exchange: Exchange = "question"

    def __post_init__(self) -> None:
        if isinstance(self.names, str):  # one galaxy, not its letters
            object.__setattr__(self, "names", (self.names,))
        if (len(self.names) > 0) + (self.worst is not None) + self.everything != 1:
            raise CatalogError("say what to explain: either names of galaxies, the worst N, or all")
        if self.where is not None and self.worst is None:
            raise CatalogError("a condition chooses among the worst galaxies: say how many")
        check_exchange(self.exchange)


@dataclass(frozen=True)
class Choice:
    """A galaxy to explain and the answer to draw; None if it has no costliest answer."""

    galaxy_id: int
    answer_id: int | None


@dataclass(frozen=True)
class Subject:
    """A galaxy to draw, its counterparts for an answer, and how far from fair they are.

    Each counterpart has what was asked of it (`Counterpart.target`); notes: sentences, as
    `Counterparts` has them.
    exchanged: False where nobody voted on it; then `predicted` is the galaxy predicted most alike.
    """

    galaxy_id: int
    answer_id: int
    observed: Counterpart | None
    predicted: Counterpart | None
    notes: tuple[str, ...]
    exchanged: bool = True

    @property
    def galaxies(self) -> list[int]:
        """The galaxy itself and those that it is drawn with."""
        others = [c.galaxy_id for c in (self.observed, self.predicted) if c is not None]
        return [self.galaxy_id, *others]


def choose(store: Store, which: Which) -> list[Choice]:
    """The galaxies to draw, in the order of their names as given, by loss, or by number.

    Raises `CatalogError` if there is nothing to rank, `UnknownName` for a galaxy or an
    answer that is not there.
    """
    answer_id = None if which.answer is None else store.tree.answer_id(which.answer)
    if which.worst is not None:
        fewest = FEWEST_VOTES if which.min_votes is None else which.min_votes
        label, where = which.answer, which.where
        ranking = rank_galaxies(store, which.worst, min_votes=fewest, label=label, where=where)
        if not len(ranking):
            most = most_asked(store, label=label, where=where)
            whose = f"score run {store.newest_run('score')}"
            raise CatalogError(why_none(most, whose, min_votes=fewest, label=label, where=where))
        pairs = ranking.select(["galaxy_id", "answer_id"]).to_pylist()
        return [Choice(**pair) for pair in pairs]
    if which.everything:
        ids = galaxies_with_image(store).tolist()
    else:
        ids = list(dict.fromkeys(galaxy_ids(store, which.names)))
    if answer_id is not None:
        return [Choice(galaxy_id, answer_id) for galaxy_id in ids]
    costliest = costliest_answers(store, ids, which.min_votes)
    costliest |= telling_answers(store, [i for i in ids if i not in costliest])
    return [Choice(galaxy_id, costliest.get(galaxy_id)) for galaxy_id in ids]


def find_subjects(
    store: Store,
    choices: Sequence[Choice],
    *,
    min_votes: float | None = None,
    exchange: Exchange = "question",
) -> list[Subject]:
    """Each choice with its two counterparts, as `find_many` finds them.

    A galaxy without votes or a prediction for the answer has no counterparts, but a note
    that says so. Raises `CatalogError` if a choice has no answer, or there is no
    current similarity index.
    """
    chosen = [(choice.galaxy_id, answer_of(store, choice, min_votes)) for choice in choices]
    ids, answers = [galaxy for galaxy, _ in chosen], [answer for _, answer in chosen]
    found = find_many(store, ids, answers, min_votes=min_votes, exchange=exchange)
    return [subject_of(*one, both) for one, both in zip(chosen, found, strict=True)]


def subject_of(galaxy_id: int, answer_id: int, both: Counterparts) -> Subject:
    """A galaxy to draw with the best of its counterparts."""
    return Subject(
        galaxy_id,
        answer_id,
        observed=next(iter(both.observed), None),
        predicted=next(iter(both.predicted), None),
        notes=both.notes if both.exchanged else (NOBODY_VOTED, *both.notes),
        exchanged=both.exchanged,
    )


def answer_of(store: Store, choice: Choice, min_votes: float | None) -> int:
    """The answer to draw. Raises `CatalogError` if a choice has none."""
    if choice.answer_id is None:
        of_so_many = f" of {min_votes:g} votes or more" if min_votes else ""
        name = names_of(store, [choice.galaxy_id])[choice.galaxy_id]
        raise CatalogError(
            f"no answer of {name} has a loss{of_so_many} to choose it by; name the answer to draw"
        )
    return choice.answer_id
