"""How far a vote is to be believed, from its definition."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.made.catalogues import TOY


def credence_by_definition(
    counts: npt.NDArray[np.float64], alpha: npt.NDArray[np.float64], error_rate: float
) -> npt.NDArray[np.float64]:
    """The definition, one vote at a time: remove it, ask the rest, apply Bayes."""
    result = np.ones_like(counts)
    for i, galaxy in enumerate(counts):
        for where in TOY.slices:
            answers = range(where.start, where.stop)
            for k in answers:
                if galaxy[k] == 0:
                    continue
                others = galaxy.copy()
                others[k] = max(others[k] - 1, 0)
                votes = [others[j] for j in answers]
                logs, chances = [], []
                for sample in alpha[i]:
                    own = [float(sample[j]) for j in answers]
                    logs.append(_log_likelihood(votes, own))
                    posterior = [a + m for a, m in zip(own, votes, strict=True)]
                    chances.append(posterior[k - where.start] / math.fsum(posterior))
                weights = [math.exp(log - max(logs)) for log in logs]
                chance = math.fsum(v * p for v, p in zip(weights, chances, strict=True))
                meant = chance / math.fsum(weights) * (1 - error_rate)
                error = error_rate / len(answers)
                result[i, k] = meant / (meant + error)
    return result


def _log_likelihood(votes: Sequence[float], alpha: Sequence[float]) -> float:
    terms = [math.lgamma(a + m) - math.lgamma(a) for a, m in zip(alpha, votes, strict=True)]
    total = math.fsum(alpha)
    return math.fsum(terms) + math.lgamma(total) - math.lgamma(total + math.fsum(votes))


def next_vote_by_enumeration(
    votes: Sequence[int], answer: int, concentrations: Sequence[Sequence[float]], cells: int
) -> float:
    """Probability that the vote after `votes` is for an answer, by Bayes over a grid.

    The hypotheses are all pairs of a sample and of fractions, multiples of 1 / cells; the
    prior of each is 1 / T times the sample's Dirichlet density there. No closed form of the
    Dirichlet-multinomial is used; the error falls with the square of `cells`.
    """
    evidence = reached = 0.0
    for alpha in concentrations:
        points = [
            [(place + 0.5) / cells for place in places]
            for places in itertools.product(range(cells), repeat=len(alpha) - 1)
        ]
        fractions = [[*p, 1 - sum(p)] for p in points if sum(p) < 1]
        density = [
            math.prod(x ** (a - 1) for x, a in zip(p, alpha, strict=True)) for p in fractions
        ]
        norm = math.fsum(density)
        for p, d in zip(fractions, density, strict=True):
            joint = d / norm * math.prod(x**m for x, m in zip(p, votes, strict=True))
            evidence += joint
            reached += joint * p[answer]
    return reached / evidence
