"""Counterparts as they were found, and what a reader must know of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.similarity.candidates import Counted
from zoolens.catalog.similarity.target import Fractions, Target

NO_EXCHANGE = "No counterparts: the galaxy has no {} to exchange for this answer."
_NAMED = 4  # galaxies that a note names; others are counted


@dataclass(frozen=True)
class Counterpart:
    """A galaxy and its similarity to the query, in nat, 0 or less.

    target: what it was to have of the question of interest, beside what it has; votes: how many
    volunteers it was asked of.
    """

    galaxy_id: int
    iauname: str
    score: float
    target: Target | None = None
    votes: float | None = None


@dataclass(frozen=True)
class Counterparts:
    """Best first, no galaxy twice; fewer than asked for if the catalogue has no more.

    exchanged: False of a galaxy without votes, which has none to exchange: then `predicted` are
    the galaxies that are predicted alike, and `observed` is empty. asked: what observed and what
    predicted ones should have of the question of interest, empty where that is nothing. notes:
    sentences that say where the comparison is not as fair as it should be.
    """

    observed: list[Counterpart]
    predicted: list[Counterpart]
    exchanged: bool = True
    asked: tuple[Fractions, Fractions] = ((), ())
    notes: tuple[str, ...] = ()


def notes_of(
    tree: DecisionTree,
    answer_id: int,
    candidates: Counted,
    galaxy_id: int,
    k: int,
    found: Sequence[Sequence[Counterpart]],
    both: Sequence[tuple[str, int]],
) -> tuple[str, ...]:
    """What to say of the observed and the predicted counterparts that were found of a galaxy.

    k: how many of each were asked for; both: the galaxies that were best in both, and which kind
    gave way.
    """
    question = tree.questions[tree.question_of[answer_id]].name
    enough, every = candidates.others(galaxy_id)
    wanted = f"{candidates.fewest:g} votes" if candidates.fewest > 0 else "votes"
    having = f"{wanted} on {question}, and predictions"
    few = [one for some in found for one in some if (one.votes or 0) < candidates.fewest]
    notes = []
    if few:
        named = _named(f"{one.iauname} ({one.votes:.3g})" for one in few)
        notes.append(f"Only {_others(enough)} {having}; of fewer votes: {named}.")
    if not every:
        notes.append(f"No counterparts: no other galaxy has {having}.")
    elif sum(map(len, found)) < 2 * k:
        lacking = f"votes on {question}, and predictions" if every > enough else having
        notes.append(f"Only {_others(every)} {lacking}: no more counterparts.")
    for way, (kept, other) in enumerate((("predicted", "observed"), ("observed", "predicted"))):
        if names := [name for name, which in both if which == way]:
            notes.append(
                f"Best in both: {_named(names)}, shown as {kept}; the {other} place has the next "
                "best."
            )
    for kind, some in zip(("observed", "predicted"), found, strict=True):
        among = enough if some and (some[0].votes or 0) >= candidates.fewest else every
        if some and (note := not_close(some[0], f"{kind} counterpart", among)):
            notes.append(note)
    return tuple(notes)


def not_close(best: Counterpart, what: str, count: int) -> str:
    """That the best is not close, if so."""
    if best.target is None or best.target.close:
        return ""
    return f"The best {what} of {count:,} is {best.target.words}."


def _others(count: int) -> str:
    return f"{count:,} other galaxy has" if count == 1 else f"{count:,} other galaxies have"


def _named(names: Iterable[str]) -> str:
    every = [*names]
    more = len(every) - _NAMED
    return ", ".join(every[:_NAMED]) + (f" and {more} more" if more > 0 else "")
