"""Which pixels drive what a classifier or regressor estimates: rows of `estimate_map`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.loading import ImageBatch
from zoolens.catalog.images.segments import SEGMENTATION, coverage
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import ZoobotModel, dropout_masks, load_model
from zoolens.catalog.saliency.arithmetic import DTYPE, encode, map_statistics
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.tables import arrow_schema


@dataclass(frozen=True)
class EstimatingModel:
    """The model of the estimates that show, with the masks and the view that it estimated with."""

    model: ZoobotModel
    explainer: Explainer
    view: View
    source: str
    estimate_run: Run

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of a run of maps, which with the model's checksum identifies it."""
        return {
            "estimate_run": self.estimate_run.run_id,
            "method": self.explainer.method,
            "layer": self.explainer.layer,
            "view": self.view.config(),
            "segmentation": SEGMENTATION,
        }


def estimating_model(store: Store, source: str | None, engine: str = "torch") -> EstimatingModel:
    """The model of the estimates that show, from where it was, or from `source`.

    Raises `CatalogError` if there are no estimates, `ModelRefused` if the model cannot be used, or
    is another than made them.
    """
    run = store.shown_run("estimate")
    if run is None:
        raise CatalogError(
            "maps of what a classifier or regressor estimates need its estimates; do first: "
            f"zoolens predict --model {source or 'CHECKPOINT'}"
        )
    origin: Mapping[str, str] = run.config["origin"]
    path = source or origin["model"]
    loaded = load_model(path)
    if loaded.sha256 != run.model_sha256:
        raise ModelRefused(
            f"{path} is not the model that made the estimates of run {run.run_id}; do first: "
            f"zoolens predict --model {path}"
        )
    loaded = loaded.named(tuple(run.config["names"]))
    view = View(**run.config["view"])
    samples, seed = run.config["samples"], run.config["seed"]
    masks = dropout_masks(samples, loaded.weight.shape[1], loaded.dropout_rate, seed)
    explainer = Explainer(loaded, masks, size=view.size, engine=engine)
    return EstimatingModel(loaded, explainer, view, path, run)


def estimate_map_tables(batch: ImageBatch, explained: EstimatingModel) -> dict[str, pa.Table]:
    """Rows of `estimate_map`, one per galaxy and name, and `reject`, without their run.

    Rejects are the images refused in the batch, and galaxies whose maps are not finite.
    """
    schema = arrow_schema("estimate_map")
    rejects, rows = list(batch.rejects), []
    if batch.galaxies:
        saliency = explained.explainer(batch.images)
        means, sds = saliency.mean.numpy(), saliency.sd.numpy()  # (N, L, h, w)
        each = zip(batch.galaxies, batch.segments, means, sds, strict=True)
        for galaxy, segment, mean, sd in each:
            if not (np.isfinite(mean).all() and np.isfinite(sd).all()):
                reason = "no finite map: the model overflows on this image"
                rejects.append(Reject(galaxy.source, None, galaxy.iauname, reason))
                continue
            height, width = mean.shape[-2:]
            covered = None if segment is None else coverage(segment, height, width)
            statistics = map_statistics(mean, covered)
            for place, name in enumerate(explained.model.labels):
                rows.append(
                    {
                        "galaxy_id": galaxy.galaxy_id,
                        "name": name,
                        "height": height,
                        "width": width,
                        "dtype": DTYPE,
                        "mean": encode(mean[place]),
                        "sd": encode(sd[place]),
                        **{which: _number(values[place]) for which, values in statistics.items()},
                    }
                )
    return {
        "estimate_map": pa.Table.from_pylist(rows, schema=schema),
        "reject": reject_table(rejects),
    }


def _number(value: Any) -> Any:
    """A NumPy number as Python's, NaN as NULL."""
    return None if np.isnan(value) else value.item()
