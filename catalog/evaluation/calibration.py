"""Whether the predicted intervals of votes hold as many votes as they should.

From arrays to measures, for N galaxies, T dropout samples, A answers, Q questions.
Everything in float64.
"""

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.measures import Measure, ratios
from zoolens.catalog.predictions.posterior import question_totals

LEVELS = (0.5, 0.8, 0.9, 0.95)
MIN_VOTES = 5  # on a question; fewer say little
ROUNDED = "rounded votes"  # what coverage is of where votes are weighted

_WHOLE = 1e-6  # votes: rounding of whole numbers is less
_NARROW = 1e-12  # probability: a smaller step of the distribution counts as a point
_GALAXIES = 2000  # whose posteriors are converted to float64 at a time
_AT_ONCE = 1 << 17  # distributions at a time: their arrays stay in the cache


def calibration(
    counts: npt.ArrayLike,
    concentrations: npt.NDArray[np.floating],
    tree: DecisionTree,
    *,
    min_votes: float = MIN_VOTES,
) -> list[Measure]:
    """Share of observed counts inside the central intervals of their predictions.

    counts: (N, A), NaN where a question's votes are not the tree's; concentrations:
    (N, T, A), NaN where the model lacks an answer. For 50, 80, 90 and 95 % (`level`), over
    all pairs of galaxy and answer whose question has `min_votes` votes or more, and for
    each question; intervals by bootstrap over galaxies, since the answers of a galaxy
    depend on each other. A calibrated model's coverage is the nominal level: below it
    the model is overconfident. See `predicted_steps` for which pairs are left out, and
    `covered` for what it means that a whole number is inside. Where most votes are weighted, so
    that the few whole ones would be a choice of galaxies on which all agree, all are rounded,
    and `method` is "rounded votes".
    """
    votes = np.asarray(counts, np.float64)
    weighted = mostly_weighted(votes, tree, min_votes)
    if weighted:
        votes = rounded_votes(votes, tree)
    lower, upper = predicted_steps(votes, concentrations, tree, min_votes=min_votes)
    above, below, about = [], [], []
    names = [None, *(question.name for question in tree.questions)]
    wheres = [slice(None), *tree.slices]
    for level in LEVELS:
        inside = covered(lower, upper, level)  # (N, A)
        for name, where in zip(names, wheres, strict=True):
            above.append(np.nansum(inside[:, where], axis=1))
            below.append(np.count_nonzero(~np.isnan(inside[:, where]), axis=1))
            about.append((name, level))
    found = ratios(np.stack(above, axis=1), np.stack(below, axis=1))
    return [
        Measure(
            "calibration",
            "coverage",
            *estimate,
            question=name,
            method=ROUNDED if weighted else None,
            level=level,
        )
        for (name, level), estimate in zip(about, found, strict=True)
        if estimate.galaxies
    ]


def mostly_weighted(counts: npt.ArrayLike, tree: DecisionTree, min_votes: float = 1) -> bool:
    """Whether most questions with so many votes, of all galaxies, have counts not whole."""
    votes = np.asarray(counts, np.float64)
    starts = [where.start for where in tree.slices]
    asked = (question_totals(votes, tree) >= max(min_votes, 1))[:, starts]  # (N, Q)
    whole = all_answers(np.abs(votes - np.rint(votes)) <= _WHOLE, tree)[:, starts]
    return bool(2 * np.count_nonzero(asked & ~whole) > np.count_nonzero(asked))


def rounded_votes(counts: npt.ArrayLike, tree: DecisionTree) -> Floats:
    """Weighted votes (N, A) as whole ones of whole volunteers: of each question they add up.

    The largest remainders are rounded up, so that the sum of a question is its own, rounded.
    Each count moves by less than one vote and a half, the half where the sum does, less than
    chance moves it. NaN remains.
    """
    votes = np.asarray(counts, np.float64)
    rounded = np.full_like(votes, np.nan)
    for where in tree.slices:
        block = votes[:, where]
        known = ~np.isnan(block).any(axis=1)
        total = block[known].sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = np.nan_to_num(block[known] * (np.rint(total) / total))
        floor = np.floor(scaled + _WHOLE)
        left = np.rint(total) - floor.sum(axis=1, keepdims=True)
        place = np.argsort(np.argsort(floor - scaled, axis=1, kind="stable"), axis=1)
        rounded[known, where] = floor + (place < left)
    return rounded


def predicted_steps(
    counts: npt.ArrayLike,
    concentrations: npt.NDArray[np.floating],
    tree: DecisionTree,
    *,
    min_votes: float = MIN_VOTES,
) -> tuple[Floats, Floats]:
    """F(k - 1) and F(k) of each observed count k under the posterior predictive.

    Given n votes of a question, the count of one of its answers is distributed as the
    even mixture over the T samples of Beta-Binomial(n, alpha_k, S - alpha_k), the
    marginal of the Dirichlet-multinomial, S being the sum of alpha over the question.
    Two arrays (N, A) in 0..1. NaN, and so left out of every coverage: questions with fewer
    than `min_votes` votes, or none; those with missing counts or concentrations; and those
    with a count that is not a whole number, as of weighted votes, since the distribution
    gives such counts no probability.
    """
    k = np.asarray(counts, np.float64)
    n = question_totals(k, tree)
    whole = np.abs(k - np.rint(k)) <= _WHOLE  # False where NaN
    usable = (n >= max(min_votes, 1)) & all_answers(whole, tree)
    usable &= all_answers(np.isfinite(concentrations).all(axis=1), tree)
    lower, upper = np.full_like(k, np.nan), np.full_like(k, np.nan)
    for start in range(0, len(k), _GALAXIES):
        part = slice(start, start + _GALAXIES)
        alpha = np.asarray(concentrations[part], np.float64)
        galaxy, answer = np.nonzero(usable[part])
        strength = question_totals(alpha, tree)[galaxy, :, answer]  # (M, T)
        a = alpha[galaxy, :, answer]
        votes, total = (np.rint(x[part][galaxy, answer]) for x in (k, n))
        steps = beta_binomial_cumulative(votes, total, a, strength - a)
        for bound, step in zip((lower, upper), steps, strict=True):
            bound[part][galaxy, answer] = step
    return lower, upper


def covered(lower: Floats, upper: Floats, level: float) -> Floats:
    """How far steps of a distribution lie inside its central interval, 0..1.

    Counts are whole numbers, so an interval of counts holds more than its nominal share, and
    a calibrated model would look underconfident. Instead a count k stands for all probabilities
    from F(k - 1) to F(k): inside is the share of that step between (1 - level) / 2 and
    (1 + level) / 2. It is the expectation over u of the randomised probability integral
    transform, which is uniform for a calibrated model, computed without drawing u: the
    nonrandomised transform of Czado, Gneiting & Held 2009 (Biometrics 65, 1254), as a
    coverage. lower, upper: F(k - 1) and F(k), any shape; NaN remains.
    """
    tail = (1 - level) / 2
    width = upper - lower
    overlap = np.minimum(upper, 1 - tail) - np.maximum(lower, tail)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(width > _NARROW, np.maximum(overlap, 0) / width, overlap >= 0)
    return np.where(np.isnan(width), np.nan, share)


def beta_binomial_cumulative(
    votes: npt.ArrayLike, totals: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """F(k - 1) and F(k) of even mixtures of T Beta-Binomial distributions.

    votes k and totals n: (M,), whole numbers with 0 <= k <= n; a, b: (M, T), above 0.
    Two arrays (M,) in 0..1; 0 and F(0) where k is 0.

    Exact up to rounding: the probabilities of k, k - 1, ..., 0 are added, each computed from
    the one before by the ratio

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
    order = np.argsort(-k, kind="stable")  # distributions that still have terms to add come first
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


def all_answers(known: npt.NDArray[np.bool_], tree: DecisionTree) -> npt.NDArray[np.bool_]:
    """Whether a condition holds for all answers of an answer's question, (N, A)."""
    together = [known[:, where].all(axis=1) for where in tree.slices]
    holds: npt.NDArray[np.bool_] = np.stack(together, axis=1)[:, tree.question_of]
    return holds
