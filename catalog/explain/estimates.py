"""Which pixels drive what a classifier or regressor estimates: rows of `estimate_map`, figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from PIL import Image

from zoolens.catalog.errors import CatalogError, ImageRefused, ModelRefused
from zoolens.catalog.explain.estimate_figure import Estimate, drawn, estimate_figure
from zoolens.catalog.explain.model import how
from zoolens.catalog.explain.portraits import Picture, picture_of
from zoolens.catalog.images.loading import ImageBatch
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.segments import SEGMENTATION, coverages
from zoolens.catalog.images.view import View
from zoolens.catalog.network.ensemble import Member
from zoolens.catalog.network.inference import features
from zoolens.catalog.network.model import (
    ZoobotModel,
    dropout_masks,
    estimates,
    load_model,
)
from zoolens.catalog.output.figures import save
from zoolens.catalog.paths import explanation_stem
from zoolens.catalog.predictions.estimates import estimate_rows
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.saliency.arithmetic import DTYPE, Map, decode, encode, map_statistics
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.store.galaxies import read_galaxies
from zoolens.catalog.store.maps import estimates_with_maps
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

    def provenance(self, run: Run) -> str:
        """One line: what made the maps of a run, for a figure's foot."""
        return (
            f"{how(self.explainer, 'concentration')}, {len(self.explainer.masks)} dropout samples, "
            f"bilinear; {self.model.architecture}, SHA-256 {self.model.sha256[:12]}…; maps of run "
            f"{run.run_id}, estimates of run {self.estimate_run.run_id}."
        )


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


def estimate_map_tables(
    batch: ImageBatch, explainer: Explainer, names: Sequence[str]
) -> dict[str, pa.Table]:
    """Rows of `estimate_map`, one per galaxy and name, and `reject`, without their run.

    Rejects are the images refused in the batch, and galaxies whose maps are not finite.
    """
    schema = arrow_schema("estimate_map")
    rejects, rows = list(batch.rejects), []
    if batch.galaxies:
        saliency = explainer(batch.images)
        means, sds = saliency.mean.numpy(), saliency.sd.numpy()  # (N, L, h, w)
        height, width = means.shape[-2:]
        each = zip(
            batch.galaxies, means, sds, *coverages(batch.segments, height, width), strict=True
        )
        for galaxy, mean, sd, on_galaxy, on_neighbours in each:
            if not (np.isfinite(mean).all() and np.isfinite(sd).all()):
                reason = "no finite map: the model overflows on this image"
                rejects.append(Reject(galaxy.source, None, galaxy.iauname, reason))
                continue
            statistics = map_statistics(mean, on_galaxy, on_neighbours)
            for place, name in enumerate(names):
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


def draw_estimates(
    store: Store,
    run: Run,
    explained: EstimatingModel,
    reader: ImageReader,
    galaxy_id: Sequence[int],
    folder: Path,
) -> tuple[list[Path], list[str]]:
    """Draw a figure of each galaxy that a run has maps of; the files, and why some are not there.

    Raises `CatalogError` if the folder or a file cannot be written.
    """
    files: list[Path] = []
    notes = []
    make_folder(folder)
    known = estimates_with_maps(store, run, galaxy_id)
    provenance = explained.provenance(run)
    with progress("drawing", len(known)) as bar:
        for galaxy in read_galaxies(store, np.array(sorted(known), np.int64)):
            rows = known[galaxy.galaxy_id]
            try:
                image = reader.open(galaxy.source, galaxy.member, sha256=galaxy.sha256)
                pixels = explained.view.display(image)
            except ImageRefused as error:
                notes.append(f"{galaxy.iauname} is not drawn: {error}")
                continue
            shown = [_estimate(rows[place], pixels) for place in drawn([r["value"] for r in rows])]
            figure = estimate_figure(
                galaxy.iauname, shown, len(rows), explained.model.output, provenance
            )
            files += save(figure, folder / explanation_stem(galaxy.iauname, "estimate"))
            bar.advance()
    return files, notes


def _estimate(row: Mapping[str, Any], pixels: npt.NDArray[np.uint8]) -> Estimate:
    shape = row["height"], row["width"], row["dtype"]
    mean, sd = (decode(row[blob], 1, *shape)[0] for blob in ("mean", "map_sd"))
    numbers = (row[name] for name in ("value", "sd", "lo", "hi"))
    return Estimate(row["name"], _picture(pixels, mean, sd), *numbers)


def _picture(pixels: npt.NDArray[np.uint8], mean: Map, sd: Map) -> Picture:
    # of one sample, as with dropout off, nothing is known of the spread
    return picture_of(pixels, mean, sd if sd.any() else None)


def estimate_image(
    image: Image.Image, member: Member, explainer: Explainer, *, samples: int, seed: int
) -> tuple[pa.Table, list[Estimate]]:
    """What a classifier or regressor estimates of one image that belongs to no catalogue.

    A row for each class, or one of the value, with columns as in the view `estimates`; and those
    that are drawn, with their maps. Raises `ImageRefused` if the model makes no number of it.
    """
    model = member.model
    seen, pixels = member.view.both(image)
    with torch.inference_mode():
        made = estimates(model, features(model.encoder, seen[None]), member.masks(samples, seed))
    maps = explainer(seen[None])
    means, sds = maps.mean[0].numpy(), maps.sd[0].numpy()  # (L, h, w)
    if not (made.isfinite().all() and np.isfinite(means).all()):
        raise ImageRefused("unusable image: what the model makes of it is no number")
    rows = estimate_rows([0], model.labels, made.numpy(), dropout=samples > 0)
    table = rows.select(["name", *_VALUES])
    shown = [
        Estimate(row["name"], _picture(pixels, mean, sd), *(row[name] for name in _VALUES))
        for row, mean, sd in zip(table.to_pylist(), means, sds, strict=True)
    ]
    return table, [shown[place] for place in drawn([one.value for one in shown])]


_VALUES = ("value", "value_sd", "value_lo", "value_hi")


def _number(value: Any) -> Any:
    """A NumPy number as Python's, NaN as NULL."""
    return None if np.isnan(value) else value.item()
