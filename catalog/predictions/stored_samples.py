"""The posterior samples that a catalogue holds, as one array."""

from collections.abc import Sequence

import numpy as np

from zoolens.catalog.arrays import Floats32
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.predictions.posterior import of_each_model
from zoolens.catalog.store.galaxies import galaxy_ids
from zoolens.catalog.store.matrices import read_posteriors
from zoolens.catalog.store.store import Store


def stored_samples(store: Store, names: Sequence[str]) -> Floats32:
    """Concentrations of galaxies, as the predictions that show have them: (N, M, T, A).

    T samples of each of the M models, one model's after another's; A answers in tree order.
    NaN where a galaxy has no samples, or the models lack an answer. Raises `UnknownName` for a
    galaxy that is not there, `CatalogError` if none has samples, or not all have as many.
    """
    run = store.run(store.newest_run("predict"))
    ids = np.array(galaxy_ids(store, names), np.int64)
    distinct, where = np.unique(ids, return_inverse=True)
    found = list(read_posteriors(store, run.run_id, distinct))
    if not found:
        raise CatalogError(
            f"no samples of these galaxies in run {run.run_id}; predict with a model: "
            "zoolens predict --model MODEL"
        )
    if len(found) > 1:
        numbers = " and ".join(str(alpha.shape[1]) for _, alpha in found)
        raise CatalogError(f"the galaxies have {numbers} samples; ask for those of one number")
    ((places, alpha),) = found
    stack = np.full((len(distinct), *alpha.shape[1:]), np.nan, np.float32)
    stack[places] = alpha
    return of_each_model(stack[where], len(run.config.get("models", [run.model_sha256])))
