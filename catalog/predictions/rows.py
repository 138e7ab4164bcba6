"""Rows of the prediction tables, as Arrow, and what a run of predictions reports."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.predictions.posterior import Summary


def prediction_rows(galaxy_id: npt.ArrayLike, summary: Summary) -> pa.Table:
    """Rows of `prediction`, A a galaxy in order; NaN becomes NULL."""
    columns = {
        "concentration": (summary.concentration, pa.float32()),
        "fraction": (summary.fraction, pa.float64()),
        "fraction_sd": (summary.sd, pa.float32()),
        "fraction_lo": (summary.lo, pa.float32()),
        "fraction_hi": (summary.hi, pa.float32()),
        "reach": (summary.reach, pa.float32()),
    }
    return pa.table(
        {
            **_keys(galaxy_id, "answer_id", summary.fraction.shape[1]),
            **{name: _nullable(values, kind) for name, (values, kind) in columns.items()},
        }
    )


def question_rows(galaxy_id: npt.ArrayLike, summary: Summary) -> pa.Table:
    """Rows of `question_prediction`, Q a galaxy in order; NaN becomes NULL."""
    return pa.table(
        {
            **_keys(galaxy_id, "question_id", summary.information.shape[1]),
            "mutual_information": _nullable(summary.information, pa.float64()),
        }
    )


def posterior_rows(galaxy_id: npt.ArrayLike, concentrations: npt.NDArray[np.floating]) -> pa.Table:
    """Rows of `posterior`, one a galaxy, of concentrations (N, T, A)."""
    galaxies, samples, answers = concentrations.shape
    blobs = [values.tobytes() for values in concentrations.astype("<f4")]
    return pa.table(
        {
            "galaxy_id": pa.array(np.asarray(galaxy_id), pa.int64()),
            "samples": pa.array([samples] * galaxies, pa.int32()),
            "answers": pa.array([answers] * galaxies, pa.int32()),
            "concentrations": pa.array(blobs, pa.binary()),
        }
    )


def _keys(galaxy_id: npt.ArrayLike, name: str, width: int) -> dict[str, pa.Array]:
    ids = np.asarray(galaxy_id, dtype=np.int64)
    return {
        "galaxy_id": pa.array(np.repeat(ids, width), pa.int64()),
        name: pa.array(np.tile(np.arange(width), len(ids)), pa.int32()),
    }


def _nullable(values: Floats, kind: pa.DataType) -> pa.Array:
    # narrowed by NumPy: Arrow refuses to round
    return pa.array(values.ravel().astype(kind.to_pandas_dtype()), kind, from_pandas=True)
