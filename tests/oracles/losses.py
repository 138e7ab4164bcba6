"""Losses from their formulas, one galaxy and sample at a time."""

import math

import numpy as np


def slow_nll(counts: np.ndarray, concentrations: np.ndarray) -> float:
    """One question of one galaxy: counts (K,), concentrations (T, K)."""
    likelihoods = []
    for alpha in concentrations.astype(float):
        log = math.lgamma(counts.sum() + 1) + math.lgamma(alpha.sum())
        log -= math.lgamma(counts.sum() + alpha.sum())
        for k, a in zip(counts, alpha, strict=True):
            log += math.lgamma(k + a) - math.lgamma(a) - math.lgamma(k + 1)
        likelihoods.append(math.exp(log))
    return -math.log(sum(likelihoods) / len(likelihoods))
