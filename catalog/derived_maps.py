"""Maps of what is computed from concentrations: a fraction, a cross-entropy.

Maps are linear in the gradient, so the map of any smooth function g of the
concentrations is sum_j (dg / d alpha_j) M_j. With one dropout sample that is exact.
Stored maps are means over T samples, and the derivatives are taken at the mean
concentrations: the first-order part of the mean of the T samples' own maps, which
leaves out how derivatives and maps vary together from sample to sample.
"""

import numpy as np
import numpy.typing as npt

from catalog.arrays import Floats


def fraction_map(maps: npt.ArrayLike, concentrations: npt.ArrayLike, answer: int) -> Floats:
    """Map of an answer's expected vote fraction, p = alpha_k / sum_j alpha_j; (h, w).

    maps: (K, h, w) of the concentrations of a question's K answers; concentrations:
    (K,); answer: which of the K. In units of the fraction; positive pixels raise it.
    The K maps of a question sum to 0.
    """
    return fraction_maps(maps, concentrations)[answer]


def fraction_maps(maps: npt.ArrayLike, concentrations: npt.ArrayLike) -> Floats:
    """`fraction_map` of each of a question's answers, (K, h, w)."""
    alpha, own = np.asarray(concentrations, np.float64), np.asarray(maps, np.float64)
    shares = (alpha / alpha.sum())[:, None, None]
    raised: Floats = (own - shares * own.sum(axis=0)) / alpha.sum()
    return raised


def cross_entropy_map(
    maps: npt.ArrayLike, concentrations: npt.ArrayLike, answer: int, observed: float
) -> Floats:
    """Map of L(y, p) = -y log p - (1 - y) log(1 - p), y the observed fraction; (h, w).

    Arguments as in `fraction_map`. In nat: positive pixels are those that cost the
    galaxy its loss, negative ones speak for what the volunteers saw.
    """
    alpha = np.asarray(concentrations, np.float64)
    p = alpha[answer] / alpha.sum()
    return (p - observed) / (p * (1 - p)) * fraction_map(maps, alpha, answer)
