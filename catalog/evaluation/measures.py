"""What an evaluation measured: values with their intervals, as rows of `evaluation`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Floats

LEVEL = 0.95  # of the intervals of measured values
_RESAMPLES = 1000
_FEWEST = 5  # galaxies; from fewer an interval would mean nothing
_DRAWN = 1 << 21  # galaxies drawn at a time


@dataclass(frozen=True)
class Measure:
    """One measured value.

    topic: which part of the evaluation it belongs to; measure: what was measured, a
    short name; value: what came out; lo, hi: its 95 % interval by bootstrap over galaxies, or None;
    galaxies: how many it rests on. Where they apply: question, label: what it is about;
    method: of explanation; level: the nominal level, share of pixels or stage it was
    measured at; chance: the value expected without any knowledge.
    """

    topic: str
    measure: str
    value: float
    galaxies: int
    lo: float | None = None
    hi: float | None = None
    question: str | None = None
    label: str | None = None
    method: str | None = None
    level: float | None = None
    chance: float | None = None


class Estimate(NamedTuple):
    """A value with its interval, in the order that `Measure` takes them."""

    value: float
    galaxies: int
    lo: float | None
    hi: float | None


_TYPES = {
    "topic": pa.string(),
    "measure": pa.string(),
    "value": pa.float64(),
    "galaxies": pa.int64(),
    "lo": pa.float64(),
    "hi": pa.float64(),
    "question": pa.string(),
    "label": pa.string(),
    "method": pa.string(),
    "level": pa.float64(),
    "chance": pa.float64(),
}


def evaluation_rows(measures: Sequence[Measure]) -> pa.Table:
    """Rows of `evaluation`, without their run; a value that is NaN becomes NULL."""
    columns = list(zip(*map(astuple, measures), strict=True)) or [()] * len(_TYPES)
    names = [field.name for field in fields(Measure)]
    return pa.table(
        {
            name: pa.array(column, _TYPES[name], from_pandas=True)
            for name, column in zip(names, columns, strict=True)
        }
    )


def read_measures(rows: pa.Table) -> list[Measure]:
    """Measures from rows of `evaluation`; a value that is NULL becomes NaN."""
    names = [field.name for field in fields(Measure)]
    return [
        Measure(**{**row, "value": np.nan if row["value"] is None else row["value"]})
        for row in rows.select(names).to_pylist()
    ]


def interval(
    statistic: Callable[..., Floats], *samples: npt.ArrayLike
) -> tuple[float | None, float | None]:
    """95 % interval of a statistic of N galaxies, by the percentile bootstrap.

    samples: arrays (N,), resampled together; statistic: of such arrays along `axis`.
    A fixed seed, so that the same data give the same interval. None, None for fewer
    than five galaxies.
    """
    from scipy.stats import bootstrap

    arrays = [np.asarray(sample, np.float64) for sample in samples]
    if len(arrays[0]) < _FEWEST:
        return None, None
    with np.errstate(invalid="ignore", divide="ignore"):
        found = bootstrap(
            arrays,
            statistic,
            paired=True,
            vectorized=True,
            n_resamples=_RESAMPLES,
            batch=100,
            confidence_level=LEVEL,
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
    return float(found.low), float(found.high)


def ratios(above: npt.ArrayLike, below: npt.ArrayLike) -> list[Estimate]:
    """The sum of `above` over the sum of `below` for each column, with 95 % intervals.

    above, below: (N, M), M statistics of the same N galaxies; a mean over some of them
    has 1 below for those and 0 for the others. Where `below` is 0 the galaxy does not count
    in that statistic, whatever `above` is. Intervals are those of `interval`, but for all
    statistics at once. A statistic of no galaxy is NaN.
    """
    beneath = np.asarray(below, np.float64)
    over = np.where(beneath == 0, 0.0, np.asarray(above, np.float64))
    drawn_over, drawn_beneath = np.split(resampled_sums(np.hstack([over, beneath])), 2, axis=1)
    with np.errstate(invalid="ignore"):
        values = over.sum(axis=0) / beneath.sum(axis=0)
        drawn = drawn_over / drawn_beneath
    galaxies = np.count_nonzero(beneath, axis=0)
    return [
        estimate(value, int(count), samples)
        for value, count, samples in zip(values, galaxies, drawn.T, strict=True)
    ]


def means(values: npt.ArrayLike) -> list[Estimate]:
    """The mean of each column of (N, M), over the galaxies where it is not NaN."""
    return ratios(values, ~np.isnan(np.asarray(values, np.float64)))


def resampled_sums(values: npt.ArrayLike) -> Floats:
    """Sums of columns over N galaxies drawn with replacement: (N, M) -> (1000, M).

    How often each galaxy is drawn is a matrix, so one product gives all columns.
    """
    columns = np.asarray(values, np.float64)
    drawn = [times @ columns for times in resamples(len(columns))]
    return np.concatenate(drawn) if drawn else np.zeros((_RESAMPLES, columns.shape[1]))


def resamples(galaxies: int) -> Iterator[Floats]:
    """How often each of N galaxies is drawn in each of 1000 resamples: parts (R, N) of all.

    A fixed seed, as for `interval`: the same number of galaxies is always drawn alike, so that
    two statistics of the same galaxies can be compared draw by draw. None of no galaxies.
    """
    if galaxies == 0:
        return
    random = np.random.default_rng(0)
    rows = max(1, _DRAWN // galaxies)
    for part in np.array_split(np.arange(_RESAMPLES), range(rows, _RESAMPLES, rows)):
        drawn = random.integers(galaxies, size=(len(part), galaxies))
        drawn += galaxies * np.arange(len(part))[:, None]
        times = np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)
        yield times.astype(np.float64)


def estimate(value: float, galaxies: int, drawn: Floats) -> Estimate:
    """A value with the interval of its resamples (R,); those that are NaN had no galaxy."""
    if galaxies < _FEWEST or np.isnan(drawn).all():
        return Estimate(float(value), galaxies, None, None)
    lo, hi = np.nanquantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(value), galaxies, float(lo), float(hi))
