"""How alike maps are, and whether they stay alike if only chance differs.

Maps of a few cells (3 x 3 at 96 pixels, 7 x 7 at 224) make noisy rank correlations: of
two unrelated maps of n independent cells it scatters by 1 / sqrt(n - 1), 0.35 for 3 x 3,
and neighbouring cells are not independent. One galaxy says little; means over many do.
"""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from zoolens.catalog.arrays import Floats
from zoolens.catalog.evaluation.measures import Measure, interval, means


def rank_correlations(first: npt.ArrayLike, second: npt.ArrayLike) -> Floats:
    """Spearman's rank correlation of two maps, for each of N galaxies: (N,), -1..1.

    first, second: (N, h, w), signed; ties share their mean rank. NaN where a map is the
    same everywhere or not finite: it has no order.
    """
    ranks = []
    for maps in (first, second):
        values = np.asarray(maps, np.float64)
        values = values.reshape(len(values), values[:1].size)
        finite = np.isfinite(values).all(axis=1, keepdims=True)
        centred = rankdata(np.where(finite, values, 0.0), axis=1) - (values.shape[1] + 1) / 2
        ranks.append(np.where(finite, centred, np.nan))
    a, b = ranks
    with np.errstate(invalid="ignore"):
        found: Floats = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return found


def seed_agreement(method: str, correlations: Floats) -> Measure:
    """Rank correlation of a method's maps made with the dropout masks of two seeds.

    correlations: (N,), of the same galaxies and answers. 1: it does not matter which masks were
    drawn.
    """
    (found,) = means(correlations[:, None])
    return Measure("stability", "seed to seed rank correlation", *found, method=method)


def dropout_spread(mean: npt.ArrayLike, sd: npt.ArrayLike, method: str) -> list[Measure]:
    """How far maps scatter over their dropout samples, relative to their size.

    mean, sd: (N, h, w) over the samples. Of a galaxy it is sum sd / sum |mean|: in a
    median over cells of sd / |mean|, cells that mean nothing would decide. The value is the
    median over galaxies, since the ratio is unbounded for a map that nearly vanishes;
    0: all samples agree, 1: the spread is as large as the map. Galaxies without a map
    (zero everywhere, not finite) do not count.
    """
    spread, size = (np.abs(np.asarray(maps, np.float64)).sum(axis=(1, 2)) for maps in (sd, mean))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = spread / size
    found = ratios[np.isfinite(ratios)]
    value = float(np.median(found)) if len(found) else np.nan
    measured = (value, len(found), *interval(np.median, found))
    return [Measure("stability", "dropout spread", *measured, method=method)]
