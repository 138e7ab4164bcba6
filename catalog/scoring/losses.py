"""How far votes and predictions disagree: per answer, and per question.

Natural logarithms throughout: losses are in nat.
"""

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Floats, Ints
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.runtime.compiled import compiled

_BLOCK = 2048  # galaxies at a time, as many as fit in the caches
_FEW = 100  # votes: the product of so many factors of some hundreds does not overflow float64
_LEAST = 1e-290  # likelihood below which float64 loses digits


def cross_entropy(observed: npt.ArrayLike, predicted: npt.ArrayLike) -> Floats:
    """Cross-entropy of each answer's observed fraction under its predicted one.

    L(y, p) = -y log p - (1 - y) log(1 - p) (Su et al. 2023, 4.2.1), which treats each
    answer of a question as an independent yes or no. observed y, predicted p: (N, A) in
    0..1. Returns (N, A) float64 in nat, 0 or more: 0 where y and p are both 0 or both 1,
    infinite where p is 0 or 1 and some votes contradict it, NaN where either is missing.
    """
    y = np.asarray(observed, np.float64)
    p = np.asarray(predicted, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        # 0 log 0 is 0: an answer that nobody chose costs nothing, however unlikely it was
        chosen = np.where(y == 0, 0.0, -y * np.log(p))
        others = np.where(y == 1, 0.0, -(1 - y) * np.log1p(-p))
    return np.where(np.isnan(y) | np.isnan(p), np.nan, chosen + others)


def dirichlet_multinomial_nll(
    counts: npt.ArrayLike, concentrations: npt.ArrayLike, tree: DecisionTree
) -> Floats:
    """Negative log likelihood of each question's votes under the posterior.

    -log (1/T) sum_t DM(k | alpha_t): the T dropout samples are averaged inside the
    logarithm. DM is the Dirichlet-multinomial of Walmsley et al. 2022 (appendix
    B of Su et al. 2023), with the multinomial coefficient, as in Zoobot's own loss:

        DM(k | alpha) = n! G(S) / G(n + S) prod_i G(k_i + alpha_i) / (k_i! G(alpha_i))

    with n = sum k, S = sum alpha and k! = G(k + 1), so that weighted, fractional
    counts are allowed. counts: (N, A), NaN where a question's votes are not the
    tree's. concentrations: (N, T, A), above 0, NaN where the model lacks an answer.
    Returns (N, Q) float64 in nat: 0 where nobody was asked, whatever was predicted;
    otherwise NaN where counts or concentrations are missing.
    """
    votes = np.asarray(counts, np.float64)
    alpha = np.asarray(concentrations)
    nll = np.empty((len(votes), len(tree.slices)))
    for start in range(0, len(votes), _BLOCK):
        block = slice(start, start + _BLOCK)
        # the samples of an answer contiguous in memory
        by_answer = alpha[block].transpose(2, 0, 1).astype(np.float64, order="C")  # (A, n, T)
        for question, where in enumerate(tree.slices):
            nll[block, question] = _question_nll(votes[block, where], by_answer[where])
    return nll


def _question_nll(votes: Floats, alpha: Floats) -> Floats:
    """Negative log likelihoods (N,) of one question: votes (N, K), alpha (K, N, T)."""
    total = votes.sum(axis=1)  # (N,)
    few = (votes == np.floor(votes)).all(axis=1) & (total <= _FEW)
    nll = _by_products(np.where(few[:, None], votes, 0).astype(np.int64), alpha)
    others = np.flatnonzero(~few | ~np.isfinite(nll))
    nll[others] = _by_gammas(votes[others], alpha[:, others])
    nll[total == 0] = 0.0
    return nll


def _by_products(votes: Ints, alpha: Floats) -> Floats:
    """As `_question_nll`, for at most `_FEW` whole votes; not finite if float64 overflows.

    G(k + a) / G(a) = a (a + 1) ... (a + k - 1): a few multiplications instead of
    logarithms of gamma functions, which take many times as long.
    """
    from scipy.special import gammaln

    log_factorial = gammaln(np.arange(_FEW + 1) + 1.0)
    with np.errstate(all="ignore"):
        mean = _mean_likelihood(votes, alpha)
        mean[mean < _LEAST] = np.nan
        coefficient = log_factorial[votes.sum(axis=1)] - log_factorial[votes].sum(axis=1)
        nll: Floats = -(coefficient + np.log(mean))
    return nll


@compiled
def _mean_likelihood(votes: Ints, alpha: Floats) -> Floats:
    """Mean over samples of prod_i [a_i (a_i + 1) ...] / [s (s + 1) ...].

    votes (N, K), alpha (K, N, T) -> (N,).
    """
    answers, galaxies, samples = alpha.shape
    mean = np.empty(galaxies)
    above, below, total = np.empty(samples), np.empty(samples), np.empty(samples)
    for n in range(galaxies):
        for t in range(samples):
            above[t], below[t], total[t] = 1.0, 1.0, 0.0
        given = 0
        for k in range(answers):
            given += votes[n, k]
            for t in range(samples):
                total[t] += alpha[k, n, t]
            for step in range(votes[n, k]):
                for t in range(samples):
                    above[t] *= alpha[k, n, t] + step
        for step in range(given):
            for t in range(samples):
                below[t] *= total[t] + step
        mean[n] = (above / below).mean()
    return mean


def _by_gammas(votes: Floats, alpha: Floats) -> Floats:
    """As `_question_nll`, for any number of votes above 0."""
    from scipy.special import gammaln, logsumexp

    n = votes.sum(axis=1)[:, None]
    s = alpha.sum(axis=0)  # (N, T)
    log_likelihood = gammaln(n + 1) + gammaln(s) - gammaln(n + s)
    # an answer without votes, as most are, has factor 1
    for count, a in zip(votes.T, alpha, strict=True):
        some = np.flatnonzero(count)
        k = count[some, None]
        log_likelihood[some] += gammaln(k + a[some]) - gammaln(a[some]) - gammaln(k + 1)
    nll: Floats = -logsumexp(log_likelihood, axis=1, b=1 / s.shape[1])
    return nll
