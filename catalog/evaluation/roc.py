"""The area under the ROC curve of a sign, with an interval over galaxies."""

import numpy as np

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.evaluation.measures import Estimate, estimate, resampled_sums

FEWEST = 10  # of each kind; from fewer an area under the curve is chance


def area(sign: Floats, true: Flags, counted: Flags) -> Estimate | None:
    """Area under the curve of a sign for the true ones of those counted, all (N, A).

    The probability that a true one has the higher sign than another, a tie counting half.
    None if there are fewer than ten of either kind. The interval resamples galaxies, with all
    that is counted of each, and takes the area to first order: each true one has its share of
    others with a lower sign, and each other one its share of true ones with a higher (the
    structural components of DeLong et al. 1988, Biometrics 44, 837). Only the means of these
    are resampled; no area is computed again.
    """
    mine, others = counted & true, counted & ~true
    if min(np.count_nonzero(mine), np.count_nonzero(others)) < FEWEST:
        return None
    columns = np.zeros((len(sign), 4))
    for place, (ones, rest, side) in enumerate(((mine, others, 1), (others, mine, -1))):
        galaxy, _ = np.nonzero(ones)
        beaten = _share_below(side * sign[ones], side * sign[rest])
        columns[:, 2 * place] = np.bincount(galaxy, beaten, len(sign))
        columns[:, 2 * place + 1] = np.bincount(galaxy, minlength=len(sign))
    value = columns[:, 0].sum() / columns[:, 1].sum()
    drawn = resampled_sums(columns)
    with np.errstate(invalid="ignore"):
        areas = drawn[:, 0] / drawn[:, 1] + drawn[:, 2] / drawn[:, 3] - value
    return estimate(value, int(counted.any(axis=1).sum()), np.clip(areas, 0, 1))


def _share_below(values: Floats, others: Floats) -> Floats:
    """For each value, the share of the others below it, equal ones counting half."""
    ordered = np.sort(others)
    below, up_to = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    share: Floats = (below + up_to) / (2 * len(others))
    return share
