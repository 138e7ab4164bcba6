"""What an evaluation measured: values with their intervals, as rows of `evaluation`."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float64]

LEVEL = 0.95  # of the intervals of measured values
_RESAMPLES = 1000
_FEWEST = 5  # galaxies, below which an interval would only feign knowledge


@dataclass(frozen=True)
class Measure:
    """One measured value.

    topic: which part of the evaluation it belongs to; measure: what was measured, a
    short name; value; lo, hi: its 95 % interval by bootstrap over galaxies, or None;
    galaxies: how many it rests on. Where they apply: question or label it is about;
    method: of explanation; at: the nominal level, share of pixels or stage it was
    measured at; chance: what a method without any knowledge would be expected to get.
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
    at: float | None = None
    chance: float | None = None


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
    "at": pa.float64(),
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
