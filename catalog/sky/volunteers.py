"""Volunteers who look at simulated galaxies: what they would answer, and their votes.

What they see of a feature is its visibility; what they answer are probabilities that
follow from true parameters and visibilities; their votes walk the decision tree.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoolens.catalog.arrays import Floats, Ints
from zoolens.catalog.decision_tree import DecisionTree


@dataclass(frozen=True)
class Crowd:
    """How volunteers differ from the truth.

    overdispersion: correlation between two volunteers' answers to one question beyond
    what the probabilities say, 0..1 (0: independent votes); error_rate: chance that a
    volunteer answers every question at random; misvote_rate: chance that all votes on
    a galaxy are given to the wrong answers. many, few: volunteers per galaxy in the two
    parts of the survey; share_many: share of galaxies in the first.
    """

    overdispersion: float = 0.03
    error_rate: float = 0.03
    misvote_rate: float = 0.01
    many: int = 40
    few: int = 5
    share_many: float = 0.6


@dataclass(frozen=True)
class Ballot:
    """Votes for one galaxy, and what went into them.

    counts and errors (A,): votes per answer, and those among them that were given at
    random or, where `misvoted`, to the wrong answer. volunteers: how many were asked.
    """

    counts: Ints
    errors: Ints
    volunteers: int
    misvoted: bool


def visibility(contrast: float, signal_to_noise: float, resolution: float) -> float:
    """How well a feature can be seen, 0 (not at all) to 1.

    contrast: share of the light, where the feature is, that is the feature's.
    signal_to_noise: of the feature as a whole, matched filter. resolution: its size in
    units of the seeing's FWHM. A product of three rising, saturating functions, each
    1/2 where the feature is half visible on that account: a contrast of 0.15, a signal
    of 12 and a size of 0.8 seeing discs.
    """
    seen = contrast / (contrast + 0.15) * 1.2
    lit = signal_to_noise**2 / (signal_to_noise**2 + 12.0**2)
    resolved = resolution**3 / (resolution**3 + 0.8**3)
    return float(min(seen, 1.0) * lit * resolved)


def cast_votes(
    rng: np.random.Generator, tree: DecisionTree, probabilities: Floats, crowd: Crowd
) -> Ballot:
    """Draw the votes for one galaxy.

    probabilities (A,): chance of each answer for a volunteer who is asked its question.
    With overdispersion rho, the crowd's own probabilities on this galaxy are drawn from
    a Dirichlet of concentration (1 - rho) / rho about them.
    """
    volunteers = crowd.many if rng.random() < crowd.share_many else crowd.few
    misvoted = bool(rng.random() < crowd.misvote_rate)
    careless = int(rng.binomial(volunteers, crowd.error_rate))
    believed = probabilities.copy()
    for where in tree.slices:
        believed[where] = _dispersed(rng, probabilities[where], crowd.overdispersion)
        if misvoted:
            believed[where] = np.roll(believed[where], rng.integers(1, where.stop - where.start))
    sizes = np.bincount(tree.question_of)
    at_random = walk(rng, tree, (1 / sizes)[tree.question_of], careless)
    counts = walk(rng, tree, believed, volunteers - careless) + at_random
    return Ballot(counts, counts if misvoted else at_random, volunteers, misvoted)


def walk(
    rng: np.random.Generator, tree: DecisionTree, probabilities: Floats, volunteers: int
) -> Ints:
    """Votes (A,) of volunteers who go through the tree, each asked what their answers lead to.

    A question's total is the sum of the votes for the answers that lead to it.
    """
    counts = np.zeros(len(tree.labels), dtype=np.int64)
    for question, where in zip(tree.questions, tree.slices, strict=True):
        if question.asked_after:
            asked = sum(int(counts[tree.answer_id(label)]) for label in question.asked_after)
        else:
            asked = volunteers
        counts[where] = rng.multinomial(asked, probabilities[where])
    return counts


def as_vector(tree: DecisionTree, chances: Mapping[str, Mapping[str, float]]) -> Floats:
    """Chances by question and answer as probabilities (A,) in the tree's order."""
    vector = np.zeros(len(tree.labels))
    for question, where in zip(tree.questions, tree.slices, strict=True):
        values = np.array([chances[question.name][answer] for answer in question.answers])
        vector[where] = values / values.sum()
    return vector


def _dispersed(rng: np.random.Generator, mean: Floats, overdispersion: float) -> Floats:
    if overdispersion <= 0:
        return mean
    concentration = mean * (1 - overdispersion) / overdispersion
    drawn: Floats = rng.gamma(np.maximum(concentration, 1e-3))
    total = drawn.sum()
    return drawn / total if total > 0 else mean
