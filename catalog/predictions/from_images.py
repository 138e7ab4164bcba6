"""From galaxies with images to rows of predictions, a batch at a time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import pyarrow as pa
import torch

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.reader import ImageReader, decode
from zoolens.catalog.images.view import View
from zoolens.catalog.network.engines import Encode, make_encode
from zoolens.catalog.network.model import ZoobotModel, concentrations
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.predictions.rows import posterior_rows, prediction_rows, question_rows
from zoolens.catalog.store.rejects import Reject, reject_table

_NO_NUMBER = "unusable image: what the model makes of it is no number"


@dataclass(frozen=True)
class Predictor:
    """All that turns galaxies into rows; several threads may use it at once.

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

        A galaxy whose image cannot be read, or is not the one that was ingested, has a row
        in `reject` and no other.
        """
        shown, images, rejects = [], [], []
        for galaxy in galaxies:
            try:
                images.append(self._image(galaxy))
                shown.append(galaxy)
            except CatalogError as error:
                rejects.append(Reject(galaxy.source, None, galaxy.iauname, str(error)))
        encoded = self._features(images)
        sound = encoded.isfinite().all(dim=1)
        rejects += [
            Reject(galaxy.source, None, galaxy.iauname, _NO_NUMBER)
            for galaxy in compress(shown, ~sound)
        ]
        ids = [galaxy.galaxy_id for galaxy in compress(shown, sound)]
        alpha = concentrations(self.model, encoded[sound], self.masks).numpy()  # (N, T, A)
        summary = summarise(alpha, self.tree)
        return {
            "prediction": prediction_rows(ids, summary),
            "question_prediction": question_rows(ids, summary),
            "posterior": posterior_rows(ids, alpha),
            "reject": reject_table(rejects),
        }

    def _image(self, galaxy: Galaxy) -> torch.Tensor:
        data = self.reader.read(galaxy.source, galaxy.member)
        if hashlib.sha256(data).hexdigest() != galaxy.sha256:
            raise ImageRefused("changed image: not the bytes that were ingested; ingest it again")
        return self.view.prepare(decode(data)[0])

    def _features(self, images: list[torch.Tensor]) -> torch.Tensor:
        if not images:
            return torch.empty(0, self.masks.shape[1])
        return self.encode(torch.stack(images))  # (N, D)
