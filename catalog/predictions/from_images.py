"""Predictions for galaxies with images: rows of their tables, one batch at a time."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
import pyarrow as pa
import torch

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.loading import load_views
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.engines import Encode, make_encode
from zoolens.catalog.network.ensemble import Member
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import concentrations
from zoolens.catalog.network.orientations import turned
from zoolens.catalog.parts.cells import cells, read_cells
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.predictions.rows import posterior_rows, prediction_rows, question_rows
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.shards import Part, as_they_are, fill
from zoolens.catalog.store.store import Run, Store

SHARD = 256  # galaxies committed at a time, about
_NO_NUMBER = "unusable image: what the model makes of it is no number"


@dataclass(frozen=True)
class Sampler:
    """A model ready to draw samples; several threads may use it at once.

    member: with the answers of a tree; masks: (T, D) of its dropout; encode: its encoder, as an
    engine runs it. orientations: K that an image is seen in (`catalog.network.orientations`),
    T a multiple of it: sample t is of orientation t mod K.
    """

    member: Member
    masks: torch.Tensor
    encode: Encode
    orientations: int = 1

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """Features (N, K, D) of images (N, C, H, W) in the member's view, in each orientation."""
        if not len(images):
            return torch.empty(0, self.orientations, self.masks.shape[1])
        seen = (turned(images, orientation) for orientation in range(self.orientations))
        return torch.stack([self.encode(each) for each in seen], dim=1)

    def samples(self, features: torch.Tensor) -> torch.Tensor:
        """Concentrations (N, T, A) from features (N, K, D)."""
        model, each = self.member.model, self.orientations
        alpha = torch.empty(len(features), len(self.masks), len(model.labels))
        for orientation, seen in enumerate(features.unbind(1)):
            alpha[:, orientation::each] = concentrations(model, seen, self.masks[orientation::each])
        return alpha


@dataclass(frozen=True)
class Predictor:
    """Turns galaxies into rows of predictions; several threads may use it at once.

    samplers: one for each model of an ensemble, or only one.
    """

    samplers: Sequence[Sampler]
    tree: DecisionTree
    reader: ImageReader

    @classmethod
    def prepared(
        cls,
        engine: str,
        members: Sequence[Member],
        tree: DecisionTree,
        reader: ImageReader,
        *,
        samples: int,
        seed: int,
        precision: str = "float32",
        orientations: int = 1,
    ) -> "Predictor":
        """A predictor whose encoders are run by `engine` (`catalog.network.engines.make_encode`).

        Each model draws the samples that it would draw alone.
        """
        samplers = []
        for one in members:
            model, size = one.model, one.view.size
            encode = make_encode(engine, model.encoder, model.channels, size, precision)
            masks = one.masks(samples, seed, orientations)
            samplers.append(Sampler(one, masks, encode, orientations))
        return cls(samplers, tree, reader)

    def tables(self, galaxies: Sequence[Galaxy]) -> dict[str, pa.Table]:
        """Rows of a batch of galaxies, by table, without their run.

        A galaxy whose image cannot be read, or is not the one that was ingested, has only a
        row in `reject`.
        """
        views = [sampler.member.view for sampler in self.samplers]
        seen = load_views(self.reader, views, galaxies)
        encoded = [
            sampler.features(seen[view].images)
            for sampler, view in zip(self.samplers, views, strict=True)
        ]
        loaded = seen[views[0]]  # in every view the same galaxies
        sound = torch.stack([each.isfinite().flatten(1).all(dim=1) for each in encoded]).all(dim=0)
        rejects = list(loaded.rejects)
        rejects += [
            Reject(galaxy.source, None, galaxy.iauname, _NO_NUMBER)
            for galaxy in compress(loaded.galaxies, ~sound)
        ]
        ids = [galaxy.galaxy_id for galaxy in compress(loaded.galaxies, sound)]
        pooled = [
            sampler.samples(features[sound]).numpy()
            for sampler, features in zip(self.samplers, encoded, strict=True)
        ]
        alpha = np.concatenate(pooled, axis=1)  # (N, M T, A)
        summary = summarise(alpha, self.tree, len(pooled))
        return {
            "prediction": prediction_rows(ids, summary),
            "question_prediction": question_rows(ids, summary),
            "posterior": posterior_rows(ids, alpha),
            "reject": reject_table(rejects),
        }


def fill_from_images(
    store: Store,
    run: Run,
    every: Ids,
    waiting: Ids,
    ready: Callable[[], Callable[[Sequence[Galaxy]], dict[str, pa.Table]]],
    batch_size: int,
    describe: str,
) -> Counter[str]:
    """Commit the rows of waiting galaxies, of `every` with an image; how many, by table.

    ready: makes what turns a batch into rows; not called if nothing waits.
    """
    if len(waiting) == 0:
        return Counter()
    batches = cells(every, waiting, batch_size)
    return fill(
        store,
        run,
        (Part(batch, len(batch)) for batch in read_cells(store, batches)),
        ready(),
        read=as_they_are,
        describe=describe,
        total=len(waiting),
        executor=torch_in_order,
        together=max(1, SHARD // batch_size),
    )
