"""Galaxy Zoo decision trees: questions, answers, and what leads to what.

Questions, answers and their order are Zoobot's (`galaxy_datasets`), so that an
answer's position here is its column in a model of that campaign. What leads to a
question is ours: `galaxy_datasets` allows one parent per question, so in it
`merging` is always asked, and GZ2's bars follow edge-on discs.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from zoolens.catalog.errors import UnknownName, nearest

CAMPAIGN = {"gzd5": "dr5", "gzd8": "dr8", "gzd12": "dr12", "gz2": "gz2"}
TREE_NAMES = tuple(CAMPAIGN)

# Campaigns that asked the very same questions, so that predictions for one serve both.
SIBLING = {"dr5": "dr8", "dr8": "dr5"}

_SMOOTH = "smooth-or-featured_smooth"
_FEATURED = "smooth-or-featured_featured-or-disk"
_FACE_ON = "disk-edge-on_no"
_EDGE_ON = "disk-edge-on_yes"
_SPIRAL = "has-spiral-arms_yes"

# Walmsley et al. 2022, figure 4 (GZ DECaLS); Willett et al. 2013, figure 1 (GZ2).
_ASKED_AFTER: dict[str, tuple[str, ...]] = {
    "smooth-or-featured": (),
    "how-rounded": (_SMOOTH,),
    "disk-edge-on": (_FEATURED,),
    "has-spiral-arms": (_FACE_ON,),
    "bar": (_FACE_ON,),
    "bulge-size": (_FACE_ON,),
    "edge-on-bulge": (_EDGE_ON,),
    "bulge-shape": (_EDGE_ON,),
    "spiral-winding": (_SPIRAL,),
    "spiral-arm-count": (_SPIRAL,),
    "merging": (_SMOOTH, _FEATURED),
    "something-odd": (_SMOOTH, _FEATURED),
    "odd-feature": ("something-odd_yes",),
}

# GZ2's task 8, published with the others but not among Zoobot's columns.
_GZ2_ODD_FEATURE = ("ring", "lens-or-arc", "disturbed", "irregular", "other", "merger", "dust-lane")


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

    Raises `ValueError` if a question is asked after a label that no earlier
    question has.
    """

    name: str
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        known = set(self.labels)
        for question in self.questions:
            for label in question.asked_after:
                if label not in known:
                    raise ValueError(f"{question.name} is asked after unknown {label}")

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
        """Position of a label among the A; a campaign suffix is accepted.

        Raises `UnknownName` with the nearest labels.
        """
        plain = strip_campaign(label)
        if plain not in self.labels:
            raise UnknownName(
                f"no answer {label!r} in tree {self.name}; nearest: {nearest(plain, self.labels)}"
            )
        return self.labels.index(plain)

    def question_id(self, name: str) -> int:
        """Position of a question among the Q; a campaign suffix is accepted.

        Raises `UnknownName` with the nearest names.
        """
        names = [question.name for question in self.questions]
        plain = strip_campaign(name)
        if plain not in names:
            raise UnknownName(
                f"no question {name!r} in tree {self.name}; nearest: {nearest(plain, names)}"
            )
        return names.index(plain)

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


def strip_campaign(label: str) -> str:
    """`how-rounded-dr5_round` -> `how-rounded_round`; others unchanged."""
    question, separator, rest = label.partition("_")
    for suffix in CAMPAIGN.values():
        question = question.removesuffix(f"-{suffix}")
    return question + separator + rest


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


def get_tree(name: str) -> DecisionTree:
    """A published tree by name: gzd5, gzd8, gzd12 or gz2.

    Raises `UnknownName`.
    """
    if name not in CAMPAIGN:
        raise UnknownName(f"no decision tree {name!r}; choose one of {', '.join(TREE_NAMES)}")
    # here and not above: galaxy_datasets takes seconds, and most commands read
    # the tree from the catalogue
    from galaxy_datasets.shared import label_metadata

    pairs: Mapping[str, list[str]] = {
        "gzd5": label_metadata.decals_dr5_ortho_pairs,
        "gzd8": label_metadata.decals_dr8_ortho_pairs,
        "gzd12": label_metadata.decals_dr12_ortho_pairs,
        "gz2": label_metadata.gz2_ortho_pairs,
    }[name]
    questions = [
        Question(plain, tuple(a.removeprefix("_") for a in answers), _ASKED_AFTER[plain])
        for question, answers in pairs.items()
        for plain in [question.removesuffix(f"-{CAMPAIGN[name]}")]
    ]
    if name == "gz2":
        questions.append(Question("odd-feature", _GZ2_ODD_FEATURE, _ASKED_AFTER["odd-feature"]))
    return DecisionTree(name, tuple(questions))
