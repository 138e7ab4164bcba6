"""The distribution of one answer's votes under a posterior of T concentrations."""

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from catalog.arrays import Floats

_AT_ONCE = 1 << 17  # distributions in one sweep: its arrays stay in the processor's cache


def cumulative(
    votes: npt.ArrayLike, totals: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """F(k - 1) and F(k) of even mixtures of T Beta-Binomial distributions.

    votes k and totals n: (M,), whole numbers with 0 <= k <= n; a, b: (M, T), above 0.
    Two arrays (M,) in 0..1; 0 and F(0) where k is 0.

    Exact but for rounding: the probabilities of k, k - 1, ..., 0 are added up, each from
    the one before by its ratio

        p(j - 1) / p(j) = j (n - j + b) / ((n - j + 1) (a + j - 1)),

    or, above the mean, those of k, k + 1, ..., n: away from the mean, where a and b are
    1 or more, they fall, so that nothing can overflow or cancel.
    """
    k, n, a, b = (np.asarray(values, np.float64) for values in (votes, totals, a, b))
    rows, samples = a.shape  # M, T
    log_choices = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    lower, upper = np.empty(rows), np.empty(rows)
    step = max(1, _AT_ONCE // max(samples, 1))
    for start in range(0, rows, step):
        part = slice(start, start + step)
        size = a[part].shape
        ks, ns, choices = (
            np.broadcast_to(x[part, None], size).ravel() for x in (k, n, log_choices)
        )
        bounds = _bounds(ks, ns, choices, a[part].ravel(), b[part].ravel())
        lower[part], upper[part] = (bound.reshape(size).mean(axis=1) for bound in bounds)
    return lower, upper


def _bounds(
    k: Floats, n: Floats, log_choices: Floats, a: Floats, b: Floats
) -> tuple[Floats, Floats]:
    """F(k - 1) and F(k) of single distributions, all (L,)."""
    mirrored = k * (a + b) > n * a
    k, a, b = np.where(mirrored, n - k, k), np.where(mirrored, b, a), np.where(mirrored, a, b)
    log_moment = gammaln(k + a) - gammaln(a) + gammaln(n - k + b) - gammaln(b)
    here = np.exp(log_choices + log_moment + gammaln(a + b) - gammaln(n + a + b))
    below = _sum_below(here, k, n, a, b)
    return np.where(mirrored, 1 - below - here, below), np.where(mirrored, 1 - below, below + here)


def _sum_below(here: Floats, k: Floats, n: Floats, a: Floats, b: Floats) -> Floats:
    """Sum of the probabilities of 0 .. k - 1, given that of k, (L,)."""
    order = np.argsort(-k, kind="stable")  # those still to be added to stand in front
    term, j, n, a, b = here[order], k[order], n[order], a[order], b[order]
    total = np.zeros_like(term)
    remaining = np.searchsorted(-j, 0)
    while remaining:
        term, j, n, a, b = (values[:remaining] for values in (term, j, n, a, b))
        term = term * (j * (n - j + b) / ((n - j + 1) * (a + j - 1)))
        total[:remaining] += term
        j = j - 1
        remaining = np.searchsorted(-j, 0)
    below = np.empty_like(total)
    below[order] = total
    return below
