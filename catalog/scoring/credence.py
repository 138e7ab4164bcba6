"""How far a single vote can be believed, given what a model expects.

Su et al. 2023 propose (in their conclusion) to give a lower weight in training to
votes that the model finds doubtful. Here, per answer: each vote is assumed to be an error
with probability e, and an error to fall on each answer with the same probability. Bayes'
theorem then gives the probability that a vote for an answer is meant. A vote must not
support itself, so it is judged by the model and the *other* votes for the question: few
votes against the model count little, many votes against the model outvote it. The other
votes also say which of the model's dropout samples are right: samples under which they are
unlikely have little say.
"""

import math

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.runtime.compiled import compiled

_BLOCK = 2048  # galaxies at a time, as many as fit in the caches


def credence(
    counts: npt.ArrayLike, concentrations: npt.ArrayLike, tree: DecisionTree, error_rate: float
) -> Floats:
    """Probability that a vote is meant, per answer: (N, A) in 0..1.

        w_k = (1 - e) p_k / ((1 - e) p_k + e / K)
        p_k = sum_t v_tk (alpha_tk + m_k) / (S_t + M) / sum_t v_tk
        v_tk = G(S_t) / G(S_t + M) prod_j G(alpha_tj + m_j) / G(alpha_tj)

    m are the question's other votes, those without the one that is judged: m_k = n_k - 1
    (0 for a weighted count below 1) and m_j = n_j else, M their sum; S_t = sum_j alpha_tj.
    v_tk is their Dirichlet-multinomial likelihood under sample t, up to a factor that all
    samples share, and p_k the probability that the next vote is for answer k, given them. e is
    the error rate, K the question's number of answers.

    counts: (N, A), fractional where weighted. concentrations: (N, T, A), above 0, NaN where
    the model lacks an answer. If nobody gave the answer, or the count or the concentrations
    are missing, w is 1: there is nothing to doubt, or nothing to judge it by.
    """
    votes = np.asarray(counts, np.float64)
    alpha = np.asarray(concentrations)
    result = np.ones_like(votes)
    for start in range(0, len(votes), _BLOCK):
        block = slice(start, start + _BLOCK)
        # the samples of an answer contiguous in memory
        by_answer = alpha[block].transpose(2, 0, 1).astype(np.float64, order="C")  # (A, n, T)
        for where in tree.slices:
            chance = _next_vote(votes[block, where], by_answer[where])
            meant = (1 - error_rate) * chance
            result[block, where] = meant / (meant + error_rate / (where.stop - where.start))
    return np.where((votes > 0) & np.isfinite(result), result, 1.0)


def _next_vote(votes: Floats, alpha: Floats) -> Floats:
    """p_k of `credence` for one question: votes (N, K), alpha (K, N, T) -> (N, K).

    NaN where nobody gave the answer. With V_t the likelihood of all votes, that without one
    for k is V_t (S_t + n - 1) / (alpha_tk + n_k - 1).
    """
    strength = alpha.sum(axis=0)  # (N, T)
    logs = _log_likelihoods(votes, alpha, strength)
    likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))
    found = np.full(votes.shape, np.nan)
    for k, a in enumerate(alpha):
        some = np.flatnonzero(votes[:, k] > 0)
        a, s, own = a[some], strength[some], votes[some, k, None]
        judged = np.minimum(own, 1)
        m, n = own - judged, votes[some].sum(axis=1, keepdims=True)
        without = (s + n - 1) / (a + np.maximum(own, 1) - 1)
        if (less := np.flatnonzero(judged < 1)).size:
            without[less] = _without(a[less], s[less], own[less], n[less])
        weight = likelihood[some] * without
        found[some, k] = (weight * (a + m) / (s + n - judged)).sum(axis=1) / weight.sum(axis=1)
    return found


def _without(a: Floats, s: Floats, own: Floats, n: Floats) -> Floats:
    """What leaving out all votes for an answer does to the likelihood, a factor."""
    from scipy.special import gammaln

    factor: Floats = np.exp(gammaln(a) - gammaln(a + own) + gammaln(s + n) - gammaln(s + n - own))
    return factor


@compiled
def _log_likelihoods(votes: Floats, alpha: Floats, strength: Floats) -> Floats:
    """Logarithms of V_t, without the multinomial coefficient: (N, T).

    votes (N, K), alpha (K, N, T), strength (N, T), their sums. NaN where votes are missing.
    """
    answers, galaxies, samples = alpha.shape
    logs = np.zeros((galaxies, samples))
    above, below = np.ones(samples), np.ones(samples)
    for n in range(galaxies):
        given = votes[n].sum()
        if given <= 1000 and (votes[n] == np.floor(votes[n])).all():
            # vote by vote, far sooner: G(a + k) / G(a) = a (a + 1) ... (a + k - 1)
            passed = 0
            for k in range(answers):
                for step in range(int(votes[n, k])):
                    for t in range(samples):
                        above[t] *= alpha[k, n, t] + step
                        below[t] *= strength[n, t] + passed
                    passed += 1
                    if passed % 32 == 0 or passed == given:  # before float64 overflows
                        for t in range(samples):
                            logs[n, t] += math.log(above[t] / below[t])
                            above[t] = below[t] = 1.0
        else:
            for t in range(samples):
                logs[n, t] = math.lgamma(strength[n, t]) - math.lgamma(strength[n, t] + given)
                for k in range(answers):
                    a = alpha[k, n, t]
                    logs[n, t] += math.lgamma(a + votes[n, k]) - math.lgamma(a)
    return logs
