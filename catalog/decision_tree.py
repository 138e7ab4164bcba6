"""Galaxy Zoo decision trees: questions, answers, and what leads to what.

The trees that are known by name are those of `catalog.trees`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from zoolens.catalog.errors import UnknownName, nearest

# What campaigns append to a question, `bar-dr5`, as `galaxy_datasets` does.
CAMPAIGNS = (
    *("dr12", "dr5", "dr8"),  # Galaxy Zoo DECaLS: DR1 and 2, DR5, and DR8 as DESI
    *("gz2", "hubble", "candels", "ukidss", "jwst", "cd", "euclid"),
)


@dataclass(frozen=True)
class Question:
    """One question: its name, its answers, and the labels that lead to it.

    `asked_after` is empty for a question put to every volunteer; with several
    labels the question is asked after any of them.
    """

    name: str
    answers: tuple[str, ...]
    asked_after: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"{self.name}_{answer}" for answer in self.answers)


@dataclass(frozen=True)
class DecisionTree:
    """Q questions with A answers altogether, in the order of a model's columns.

    Questions of several campaigns stand side by side under names that say which, `bar-dr5`. Raises
    `ValueError` if two answers have one label, if a question is asked after a label that the tree
    does not have, or in the end after itself.
    """

    name: str
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        owner = {label: q.name for q in self.questions for label in q.labels}
        if len(owner) < len(self.labels):
            twice = next(label for label in self.labels if self.labels.count(label) > 1)
            raise ValueError(f"two answers are called {twice}")
        parents: dict[str, set[str]] = {}
        for question in self.questions:
            for label in question.asked_after:
                if label not in owner:
                    raise ValueError(f"{question.name} is asked after unknown {label}")
            parents[question.name] = {owner[label] for label in question.asked_after}
        while free := [name for name, of in parents.items() if not of & parents.keys()]:
            for name in free:
                del parents[name]
        if parents:
            raise ValueError(f"in the end {', '.join(parents)} would be asked after themselves")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The A labels, `question_answer`."""
        return tuple(label for question in self.questions for label in question.labels)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """For each of the Q questions, the slice of its answers among the A."""
        edges = np.cumsum([0] + [len(question.answers) for question in self.questions])
        return tuple(slice(int(a), int(b)) for a, b in itertools.pairwise(edges))

    @cached_property
    def question_of(self) -> npt.NDArray[np.int64]:
        """Question number of each answer, shape (A,)."""
        sizes = [len(question.answers) for question in self.questions]
        return np.repeat(np.arange(len(sizes)), sizes)

    def answer_id(self, label: str) -> int:
        """Position of a label among the A; a campaign suffix is accepted where it adds nothing.

        Raises `UnknownName` with the nearest labels, or those of every campaign that it fits.
        """
        return self._position(label, self.labels, "answer")

    def question_id(self, name: str) -> int:
        """Position of a question among the Q; a campaign suffix is accepted as for `answer_id`.

        Raises `UnknownName` as that does.
        """
        return self._position(name, [question.name for question in self.questions], "question")

    def _position(self, name: str, names: Sequence[str], what: str) -> int:
        if name in names:
            return names.index(name)
        plain = strip_campaign(name)
        if plain in names:
            return names.index(plain)
        alike = [own for own in names if strip_campaign(own) == name]
        if len(alike) == 1:
            return names.index(alike[0])
        near = " or ".join(alike) if alike else nearest(plain, tuple(names))
        said = "it could be" if alike else "nearest"
        raise UnknownName(f"no {what} {name!r} in tree {self.name}; {said}: {near}")

    def reach(self, fractions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Probability that a volunteer is asked each question.

        fractions: (..., A) expected vote fractions, in 0..1. Returns (..., Q):
        the product of the fractions of the answers that lead to the question,
        summed over its parents. NaN where a fraction on the way is missing.
        """
        values = np.asarray(fractions, dtype=np.float64)
        parents = {question.name: question.asked_after for question in self.questions}
        done: dict[str, npt.NDArray[np.float64]] = {}

        def of(name: str) -> npt.NDArray[np.float64]:
            if name not in done:
                if not parents[name]:
                    done[name] = np.ones(values.shape[:-1])
                else:
                    done[name] = np.sum(
                        [
                            of(label.rsplit("_", 1)[0]) * values[..., self.labels.index(label)]
                            for label in parents[name]
                        ],
                        axis=0,
                    )
            return done[name]

        return np.stack([of(question.name) for question in self.questions], axis=-1)


def campaign_of(name: str) -> str | None:
    """The campaign that a question's name or a label carries: `how-rounded-dr5_round` -> `dr5`."""
    last = name.partition("_")[0].rpartition("-")[2]
    return last if last in CAMPAIGNS else None


# Of a catalogue without votes or predictions of them.
NO_TREE = DecisionTree("", ())


def strip_campaign(name: str) -> str:
    """`how-rounded-dr5_round` -> `how-rounded_round`; others unchanged."""
    campaign = campaign_of(name)
    if campaign is None:
        return name
    question, separator, rest = name.partition("_")
    return question.removesuffix(f"-{campaign}") + separator + rest


def from_rows(name: str, rows: Sequence[tuple[str, str, str]]) -> DecisionTree:
    """Rebuild a tree from (question, answer, asked_after) rows in answer order.

    `asked_after` holds the labels joined by commas, empty for a first question. Raises
    `ValueError` if they make no tree.
    """
    if not rows:
        raise ValueError("it has no questions")
    answers: dict[str, list[str]] = {}
    parents: dict[str, tuple[str, ...]] = {}
    for question, answer, asked_after in rows:
        answers.setdefault(question, []).append(answer)
        parents[question] = tuple(filter(None, (asked_after or "").split(",")))
    return DecisionTree(name, tuple(Question(q, tuple(a), parents[q]) for q, a in answers.items()))
