"""Rows of the prediction tables, as Arrow."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from zoolens.catalog.arrays import Floats
from zoolens.catalog.predictions.posterior import Summary
from zoolens.catalog.store.tables import arrow_schema


def prediction_rows(galaxy_id: npt.ArrayLike, summary: Summary) -> pa.Table:
    """Rows of `prediction`, A per galaxy, in tree order; NaN becomes NULL."""
    return _rows(
        "prediction",
        galaxy_id,
        {
            "concentration": summary.concentration,
            "fraction": summary.fraction,
            "fraction_sd": summary.sd,
            "fraction_lo": summary.lo,
            "fraction_hi": summary.hi,
            "reach": summary.reach,
            "fraction_model_sd": summary.model_sd,
        },
    )


def question_rows(galaxy_id: npt.ArrayLike, summary: Summary) -> pa.Table:
    """Rows of `question_prediction`, Q per galaxy, in tree order; NaN becomes NULL."""
    return _rows("question_prediction", galaxy_id, {"mutual_information": summary.information})


def posterior_rows(galaxy_id: npt.ArrayLike, concentrations: npt.NDArray[np.floating]) -> pa.Table:
    """Rows of `posterior`, one per galaxy, from concentrations (N, T, A)."""
    galaxies, samples, answers = concentrations.shape
    blobs = [values.tobytes() for values in concentrations.astype("<f4")]
    return pa.table(
        {
            "galaxy_id": np.asarray(galaxy_id, np.int64),
            "samples": [samples] * galaxies,
            "answers": [answers] * galaxies,
            "concentrations": blobs,
        },
        schema=arrow_schema("posterior"),
    )


def _rows(table: str, galaxy_id: npt.ArrayLike, values: Mapping[str, Floats]) -> pa.Table:
    """Rows of a table from matrices (N, width): all answers or questions of each galaxy."""
    schema = arrow_schema(table)
    ids, width = np.asarray(galaxy_id, np.int64), next(iter(values.values())).shape[1]
    keys = [np.repeat(ids, width), np.tile(np.arange(width, dtype=np.int32), len(ids))]
    columns = [
        # NumPy narrows the type, since Arrow refuses to round
        pa.array(values[kind.name].ravel().astype(kind.type.to_pandas_dtype()), from_pandas=True)
        for kind in list(schema)[2:]
    ]
    return pa.Table.from_arrays([*map(pa.array, keys), *columns], schema=schema)
