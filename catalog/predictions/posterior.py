"""What Dirichlet posteriors say of the votes: fractions, spread, intervals, information.

A model gives T samples of the concentrations of a Dirichlet distribution per
question; the posterior of a galaxy's vote fractions is the even mixture of the T.
All in float64; a question with a missing (NaN) answer is NaN throughout.
"""

import itertools
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import special

from zoolens.catalog.arrays import Floats, Floats32
from zoolens.catalog.decision_tree import DecisionTree

Samples = TypeVar("Samples", Floats, Floats32)

REACH = "mean of products"  # how it is computed, recorded with a run: see `expected_reach`
TAIL = 0.05  # outside the central 90 % interval, on either side

_NEAR = 1e-4  # last step, relative to x (1 - x); the error left is about its third power
_WIDTH = 1e-9  # of the bracket at which the search ends
_PATIENCE = 8  # steps, after which every other one halves the bracket


@dataclass(frozen=True)
class Summary:
    """Posteriors of N galaxies in a few numbers; see `summarise` for each."""

    concentration: Floats  # (N, A)
    fraction: Floats  # (N, A)
    sd: Floats  # (N, A)
    lo: Floats  # (N, A)
    hi: Floats  # (N, A)
    reach: Floats  # (N, A)
    information: Floats  # (N, Q)
    model_sd: Floats  # (N, A)

    def take(self, which: npt.NDArray[np.int64]) -> "Summary":
        """The summaries of the galaxies at the positions `which`."""
        return Summary(**{name: values[which] for name, values in vars(self).items()})


def summarise(concentrations: npt.ArrayLike, tree: DecisionTree, models: int = 1) -> Summary:
    """Summaries of posteriors given as T samples of concentrations.

    models: how many the samples are of, in equal parts, one model's after another's.

    concentrations: (N, T, A), above 0. Per answer (N, A): the mean concentration; the
    expected vote fraction, mean over samples of alpha_k / sum_j alpha_j, 0..1; its
    standard deviation and central 90 % interval under the mixture of the T Beta
    marginals, 0..1; the reach of its question (`expected_reach`), 0..1; the spread between the
    models (`spread_of_models`), 0..0.5. Per question (N, Q): the mutual information, nat.
    """
    alpha = np.asarray(concentrations, dtype=np.float64)
    total = question_totals(alpha, tree)
    fractions = alpha / total
    fraction = fractions.mean(axis=1)
    # law of total variance: of the Betas, and of their means
    variance = (fractions * (1 - fractions) / (total + 1)).mean(axis=1) + fractions.var(axis=1)
    lo, hi = (mixture_quantile(alpha, total - alpha, tail) for tail in (TAIL, 1 - TAIL))
    return Summary(
        concentration=alpha.mean(axis=1),
        fraction=fraction,
        sd=np.sqrt(variance),
        lo=lo,
        hi=hi,
        reach=expected_reach(fractions, tree),
        information=mutual_information(fractions, tree),
        model_sd=spread_of_models(fractions, models),
    )


def spread_of_models(fractions: Floats, models: int) -> Floats:
    """Standard deviation over models of each one's expected fraction: (N, A) in 0..0.5.

    fractions: (N, T, A), each sample's expected fractions, those of one model after those of
    another. The models are the whole ensemble (ddof 0), so that with the same number of samples
    each the variance of a fraction is this, squared, and the mean of the variances within
    the models. NaN of a single model, which has no such spread.
    """
    if models == 1:
        return np.full((len(fractions), fractions.shape[-1]), np.nan)
    return of_each_model(fractions, models).mean(axis=2).std(axis=1)


def of_each_model(samples: Samples, models: int) -> Samples:
    """Pooled samples (N, M T, ...) as those of each model, (N, M, T, ...)."""
    pooled, *rest = samples.shape[1:]  # M T, A
    return samples.reshape(len(samples), models, pooled // models, *rest)


def question_totals(alpha: Floats, tree: DecisionTree) -> Floats:
    """For each answer, the sum over the answers of its question: (..., A) -> (..., A)."""
    sums = [alpha[..., where].sum(axis=-1) for where in tree.slices]
    return np.stack(sums, axis=-1)[..., tree.question_of]


def expected_reach(fractions: Floats, tree: DecisionTree) -> Floats:
    """Predicted probability that a volunteer is asked each answer's question: (N, A) in 0..1.

    fractions: (N, T, A), each sample's expected fractions. The mean over samples of
    `DecisionTree.reach`, the product along the path. The product of the mean fractions
    would be another number, since the fractions of a path vary together from sample to sample.
    """
    return tree.reach(fractions).mean(axis=1)[:, tree.question_of]


def mutual_information(fractions: Floats, tree: DecisionTree) -> Floats:
    """Between the answer of one more volunteer and the model's weights, in nat.

    fractions: (N, T, A), each sample's expected fractions. Returns (N, Q), from 0
    (the samples agree, or T is 1) to the log of the number of answers:

        I = H[mean_t p_t] - mean_t H[p_t],    H[p] = -sum_k p_k log p_k

    The acquisition of Walmsley et al. 2020 (MNRAS 491, 1554), with one departure.
    There the outcome is the number of "yes" among N binomial votes of a question with
    two answers; here it is a single vote, which has as many outcomes as the question
    has answers. It needs no N, and is the information gained by asking one volunteer.
    Differences below 0, which only rounding gives (1e-15), are set to 0.
    """
    mean = fractions.mean(axis=1)
    gain = special.entr(mean) - special.entr(fractions).mean(axis=1)  # (N, A)
    per_question = np.stack([gain[:, where].sum(axis=1) for where in tree.slices], axis=1)
    return np.maximum(per_question, 0.0)


def mixture_quantile(a: Floats, b: Floats, p: float) -> Floats:
    """Quantiles of even mixtures of T Beta distributions, to better than 1e-6.

    a, b: (N, T, ...) parameters; the mixture is over axis 1. Returns (N, ...), NaN
    where a parameter is.

    Halley's method on the mixture's distribution function, started at the quantile of the
    Beta with the same mean and variance, and kept inside a bracket. The bracket is halved if
    a step would leave it, and after a few steps every other time. So the search also ends
    for mixtures of Betas far apart, with almost no density between them.
    """
    a, b = np.moveaxis(a, 1, -1), np.moveaxis(b, 1, -1)
    shape = a.shape[:-1]
    a, b = a.reshape(-1, a.shape[-1]), b.reshape(-1, b.shape[-1])  # (M, T)
    quantile = np.full(len(a), np.nan)
    active = np.flatnonzero(np.isfinite(a + b).all(axis=1))
    a, b = a[active], b[active]
    log_norm = special.betaln(a, b)
    x = _matched_quantile(a, b, p)
    lower, upper = np.zeros_like(x), np.ones_like(x)
    for count in itertools.count():
        if not len(active):
            break
        excess = special.betainc(a, b, x[:, None]).mean(axis=1) - p
        lower, upper = np.where(excess < 0, x, lower), np.where(excess < 0, upper, x)
        new = x - _halley_step(a, b, log_norm, x, excess)
        # the first term is False where the step is NaN
        stepped = (new > lower) & (new < upper) & ((count < _PATIENCE) | (count % 2 == 0))
        new = np.where(stepped, new, (lower + upper) / 2)
        small = np.abs(new - x) < _NEAR * x * (1 - x)
        done = (stepped & small) | (upper - lower < _WIDTH)
        quantile[active[done]] = new[done]
        active, x = active[~done], new[~done]
        a, b, log_norm = a[~done], b[~done], log_norm[~done]
        lower, upper = lower[~done], upper[~done]
    return quantile.reshape(shape)


def _matched_quantile(a: Floats, b: Floats, p: float) -> Floats:
    """The quantile of the Beta with the mean and variance of the mixture, (M, T) -> (M,)."""
    means = a / (a + b)
    mean = means.mean(axis=1)
    variance = (means * (1 - means) / (a + b + 1)).mean(axis=1) + means.var(axis=1)
    strength = mean * (1 - mean) / variance - 1
    guess = special.betaincinv(mean * strength, (1 - mean) * strength, p)
    return np.clip(np.nan_to_num(guess, nan=0.5), 1e-12, 1 - 1e-12)


def _halley_step(a: Floats, b: Floats, log_norm: Floats, x: Floats, excess: Floats) -> Floats:
    """Excess / density, corrected for the slope of the density; (M,)."""
    x = x[:, None]
    with np.errstate(all="ignore"):  # where the density vanishes the bracket is halved instead
        densities = np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - log_norm)
        slope = (densities * ((a - 1) / x - (b - 1) / (1 - x))).mean(axis=1)
        density = densities.mean(axis=1)
        newton = excess / density
        # far from the solution the correction would make steps vanish
        return newton / np.clip(1 - newton * slope / (2 * density), 0.5, 2)
