"""What classifiers and regressors predict of galaxies with images: rows of `estimate`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from zoolens.catalog.arrays import Floats
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.loading import load
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.engines import Encode, make_encode
from zoolens.catalog.network.model import ZoobotModel, estimates
from zoolens.catalog.predictions.posterior import TAIL
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.tables import arrow_schema

_NO_NUMBER = "unusable image: what the model makes of it is no number"


@dataclass(frozen=True)
class Estimator:
    """Turns galaxies into rows of estimates; several threads may use it at once.

    masks: (T, D) of `dropout_masks`, of which one, of ones, means that dropout is off. encode:
    the model's encoder, as an engine runs it.
    """

    model: ZoobotModel
    masks: torch.Tensor
    view: View
    reader: ImageReader
    encode: Encode
    dropout: bool

    @classmethod
    def prepared(
        cls,
        engine: str,
        model: ZoobotModel,
        masks: torch.Tensor,
        view: View,
        reader: ImageReader,
        *,
        dropout: bool,
        precision: str = "float32",
    ) -> "Estimator":
        """An estimator whose encoder is run by `engine` (`catalog.network.engines.make_encode`)."""
        encode = make_encode(engine, model.encoder, model.channels, view.size, precision)
        return cls(model, masks, view, reader, encode, dropout)

    def tables(self, galaxies: Sequence[Galaxy]) -> dict[str, pa.Table]:
        """Rows of a batch of galaxies, by table, without their run.

        A galaxy whose image cannot be used has only a row in `reject`.
        """
        loaded = load(self.reader, self.view, galaxies)
        features = torch.empty(0, self.masks.shape[1])  # (N, D)
        if len(loaded.images):
            features = self.encode(loaded.images)
        samples = estimates(self.model, features, self.masks)  # (N, T, L)
        sound = samples.isfinite().flatten(1).all(dim=1)
        rejects = [
            *loaded.rejects,
            *(
                Reject(galaxy.source, None, galaxy.iauname, _NO_NUMBER)
                for galaxy in compress(loaded.galaxies, ~sound)
            ),
        ]
        ids = [galaxy.galaxy_id for galaxy in compress(loaded.galaxies, sound)]
        return {
            "estimate": estimate_rows(
                ids, self.model.labels, samples[sound].numpy(), dropout=self.dropout
            ),
            "reject": reject_table(rejects),
        }


def estimate_rows(
    galaxy_id: Sequence[int],
    names: Sequence[str],
    samples: npt.NDArray[np.floating],
    *,
    dropout: bool,
) -> pa.Table:
    """Rows of `estimate`, one per galaxy and name, from samples (N, T, L).

    The mean over the T samples; their standard deviation (ddof 0: the T masks are the whole
    population) and their quantiles at 5 % and 95 %, linear between samples, in float64. Without
    dropout there is one sample, which has no spread: these are NULL.
    """
    values = np.asarray(samples, np.float64)
    columns: dict[str, Floats] = {"value": values.mean(axis=1)}
    if dropout:
        lo, hi = np.quantile(values, [TAIL, 1 - TAIL], axis=1)
        columns |= {"value_sd": values.std(axis=1), "value_lo": lo, "value_hi": hi}
    count, width = len(values), len(names)
    rows = {
        "galaxy_id": pa.array(np.repeat(np.asarray(galaxy_id, np.int64), width)),
        "name": pa.array([*names] * count, pa.string()),
        **{name: pa.array(matrix.ravel()) for name, matrix in columns.items()},
    }
    nothing = pa.nulls(count * width, pa.float64())
    schema = arrow_schema("estimate")
    return pa.table({field.name: rows.get(field.name, nothing) for field in schema}, schema=schema)
