"""How far a single vote can be believed, given what a model expects.

Su et al. 2023 propose (in their conclusion) to give a lower weight in training to
votes that the model finds doubtful. Here, per answer: each vote is assumed to be an error
with probability e, and an error to fall on each answer with the same probability. Bayes'
theorem then gives the probability that a vote for an answer is meant. A vote must not
support itself, so it is judged by the model and the *other* votes for the question: few
votes against the model count little, many votes against the model outvote it.
"""

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree


def credence(
    counts: npt.ArrayLike, concentrations: npt.ArrayLike, tree: DecisionTree, error_rate: float
) -> Floats:
    """Probability that a vote is meant, per answer: (N, A) in 0..1.

        p_k = 1/T sum_t (alpha_tk + n_k - 1) / (sum_j alpha_tj + n - 1)
        w_k = (1 - e) p_k / ((1 - e) p_k + e / K)

    p_k is the Dirichlet-multinomial probability that one of the question's n votes is
    for answer k given the n - 1 others, n_k - 1 of them for k too; e the error rate,
    K the question's number of answers. counts: (N, A), fractional where weighted.
    concentrations: (N, T, A), above 0, NaN where the model lacks an answer. If nobody
    gave the answer, or the count or the concentrations are missing, w is 1: there is
    nothing to doubt, or nothing to judge it by.
    """
    votes = np.asarray(counts, np.float64)
    # the samples of an answer contiguous in memory
    alpha = np.asarray(concentrations).transpose(2, 0, 1).astype(np.float64, order="C")  # (A, N, T)
    result = np.ones_like(votes)
    for where in tree.slices:
        k, a = votes[:, where], alpha[where]  # (N, K), (K, N, T)
        # a weighted count below 1 has no other vote for it
        others = np.maximum(k - 1, 0)
        per_vote = 1 / (a.sum(axis=0) + np.maximum(k.sum(1, keepdims=True) - 1, 0))  # (N, T)
        mean = np.einsum("knt,nt->nk", a, per_vote) + others * per_vote.sum(1, keepdims=True)
        meant = (1 - error_rate) * mean / a.shape[2]  # (N, K)
        error = error_rate / len(a)
        result[:, where] = meant / (meant + error)
    return np.where((votes > 0) & np.isfinite(result), result, 1.0)
