"""Predictions for galaxies with images: rows of their tables, one batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import pyarrow as pa
import torch

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.loading import load
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.engines import Encode, make_encode
from zoolens.catalog.network.model import ZoobotModel, concentrations
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.predictions.rows import posterior_rows, prediction_rows, question_rows
from zoolens.catalog.store.rejects import Reject, reject_table

_NO_NUMBER = "unusable image: what the model makes of it is no number"


@dataclass(frozen=True)
class Predictor:
    """Turns galaxies into rows of predictions; several threads may use it at once.

    model: with the answers of `tree`; masks: (T, D) of `dropout_masks`. encode: the
    model's encoder, as an engine runs it (`made_ready`).
    """

    model: ZoobotModel
    masks: torch.Tensor
    view: View
    tree: DecisionTree
    reader: ImageReader
    encode: Encode

    @classmethod
    def made_ready(
        cls,
        engine: str,
        model: ZoobotModel,
        masks: torch.Tensor,
        view: View,
        tree: DecisionTree,
        reader: ImageReader,
        precision: str = "float32",
    ) -> "Predictor":
        """A predictor whose encoder is run by `engine` (`catalog.network.engines.make_encode`)."""
        encode = make_encode(engine, model.encoder, model.channels, view.size, precision)
        return cls(model, masks, view, tree, reader, encode)

    def tables(self, galaxies: Sequence[Galaxy]) -> dict[str, pa.Table]:
        """Rows of a batch of galaxies, by table, without their run.

        A galaxy whose image cannot be read, or is not the one that was ingested, has only a
        row in `reject`.
        """
        loaded = load(self.reader, self.view, galaxies)
        encoded = self._features(loaded.images)
        sound = encoded.isfinite().all(dim=1)
        rejects = list(loaded.rejects)
        rejects += [
            Reject(galaxy.source, None, galaxy.iauname, _NO_NUMBER)
            for galaxy in compress(loaded.galaxies, ~sound)
        ]
        ids = [galaxy.galaxy_id for galaxy in compress(loaded.galaxies, sound)]
        alpha = concentrations(self.model, encoded[sound], self.masks).numpy()  # (N, T, A)
        summary = summarise(alpha, self.tree)
        return {
            "prediction": prediction_rows(ids, summary),
            "question_prediction": question_rows(ids, summary),
            "posterior": posterior_rows(ids, alpha),
            "reject": reject_table(rejects),
        }

    def _features(self, images: torch.Tensor) -> torch.Tensor:
        return self.encode(images) if len(images) else torch.empty(0, self.masks.shape[1])  # (N, D)
