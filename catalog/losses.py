"""How far votes and predictions disagree: per answer, and per question.

Natural logarithms throughout: losses are in nat.
"""

import numpy as np
import numpy.typing as npt

from catalog.decision_tree import DecisionTree

Floats = npt.NDArray[np.float64]


def cross_entropy(observed: npt.ArrayLike, predicted: npt.ArrayLike) -> Floats:
    """Cross-entropy of each answer's observed fraction under its predicted one.

    L(y, p) = -y log p - (1 - y) log(1 - p) (Su et al. 2023, 4.2.1), each answer of
    a question being taken as an independent yes or no. observed y, predicted p:
    (N, A) in 0..1. Returns (N, A) float64 in nat, 0 or more: 0 where y and p are
    both 0 or both 1, infinite where p says impossible and somebody said so, NaN
    where either is missing.
    """
    y = np.asarray(observed, np.float64)
    p = np.asarray(predicted, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        # 0 log 0 is 0: what nobody chose costs nothing, however unlikely
        chosen = np.where(y == 0, 0.0, -y * np.log(p))
        others = np.where(y == 1, 0.0, -(1 - y) * np.log1p(-p))
    return np.where(np.isnan(y) | np.isnan(p), np.nan, chosen + others)


def dirichlet_multinomial_nll(
    counts: npt.ArrayLike, concentrations: npt.ArrayLike, tree: DecisionTree
) -> Floats:
    """Negative log likelihood of each question's votes under the posterior.

    -log (1/T) sum_t DM(k | alpha_t), the T dropout samples being averaged inside
    the logarithm. DM is the Dirichlet-multinomial of Walmsley et al. 2022 (appendix
    B of Su et al. 2023), with the multinomial coefficient, as in Zoobot's own loss:

        DM(k | alpha) = n! G(S) / G(n + S) prod_i G(k_i + alpha_i) / (k_i! G(alpha_i))

    with n = sum k, S = sum alpha and k! = G(k + 1), so that weighted, fractional
    counts are allowed. counts: (N, A), NaN where a question's votes are not the
    tree's. concentrations: (N, T, A), above 0, NaN where the model lacks an answer.
    Returns (N, Q) float64 in nat: 0 where nobody was asked, whatever was predicted;
    otherwise NaN where counts or concentrations are missing.
    """
    votes = np.asarray(counts, np.float64)
    alpha = np.asarray(concentrations, np.float64)
    return np.stack(
        [_question_nll(votes[:, where], alpha[:, :, where]) for where in tree.slices], axis=1
    )


def _question_nll(votes: Floats, alpha: Floats) -> Floats:
    """Of votes (N, K) and alpha (N, T, K) -> (N,)."""
    from scipy.special import gammaln, logsumexp

    total = votes.sum(axis=1)  # (N,)
    strength = alpha.sum(axis=2)  # (N, T)
    log_likelihood = np.zeros_like(strength)
    asked = total != 0  # NaN counts among them
    n, s = total[asked, None], strength[asked]
    log_likelihood[asked] = gammaln(n + 1) + gammaln(s) - gammaln(n + s)
    # an answer without votes has factor 1: most of them, and gammaln is what takes time
    galaxy, answer = np.nonzero(votes)
    k, a = votes[galaxy, answer][:, None], alpha[galaxy, :, answer]  # (M, 1), (M, T)
    np.add.at(log_likelihood, galaxy, gammaln(k + a) - gammaln(a) - gammaln(k + 1))
    nll: Floats = -logsumexp(log_likelihood, axis=1, b=1 / alpha.shape[1])
    nll[~asked] = 0.0
    return nll
