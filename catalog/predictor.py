"""From galaxies with images to rows of predictions, a batch at a time."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from catalog.decision_tree import DecisionTree
from catalog.engines import Encode, make_encode
from catalog.errors import CatalogError, ImageRefused
from catalog.fractions import Ids, read_rows
from catalog.images import ImageReader, decode
from catalog.model import ZoobotModel, concentrations
from catalog.posterior import summarise
from catalog.predictions import posterior_rows, prediction_rows, question_rows
from catalog.rejects import Reject, reject_table
from catalog.store import Store
from catalog.view import View


class Galaxy(NamedTuple):
    """A galaxy to predict: its number and name, where its image is, the image's SHA-256."""

    galaxy_id: int
    iauname: str
    source: str
    member: str | None
    sha256: str


_GALAXIES = "SELECT galaxy_id, iauname, image, image_member, image_sha256 FROM galaxies"
_READ = 4096  # galaxies, about, looked up together


def in_batches(store: Store, galaxy_id: Ids, size: int) -> Iterator[list[Galaxy]]:
    """Galaxies numbered `galaxy_id` (N,), ascending, `size` at a time.

    They are read as they are asked for: a survey of them does not fit in memory.
    """
    at_once = size * max(1, _READ // size)
    for start in range(0, len(galaxy_id), at_once):
        rows = read_rows(store, _GALAXIES, galaxy_id[start : start + at_once])
        found = [Galaxy(*row.values()) for row in rows.sort_by("galaxy_id").to_pylist()]
        yield from (found[i : i + size] for i in range(0, len(found), size))


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
        """A predictor whose encoder is run by `engine` (`catalog.engines.make_encode`)."""
        encode = make_encode(engine, model.encoder, model.channels, view.size, precision)
        return cls(model, masks, view, tree, reader, encode)

    def tables(
        self, galaxies: Sequence[Galaxy], *, told: Collection[tuple[str, str]] = ()
    ) -> dict[str, pa.Table]:
        """Rows of a batch of galaxies, by table, without their run.

        A galaxy whose image cannot be read, or is not the one that was ingested, has
        a row in `reject` and no other, nor that if its name and the reason are `told`.
        """
        ids, images, rejects = [], [], []
        for galaxy in galaxies:
            try:
                images.append(self._image(galaxy))
                ids.append(galaxy.galaxy_id)
            except CatalogError as error:
                rejects.append(Reject(galaxy.source, None, galaxy.iauname, str(error)))
        alpha = self._concentrations(images)
        summary = summarise(alpha, self.tree)
        return {
            "prediction": prediction_rows(ids, summary),
            "question_prediction": question_rows(ids, summary),
            "posterior": posterior_rows(ids, alpha),
            "reject": reject_table(r for r in rejects if (r.key, r.reason) not in told),
        }

    def _image(self, galaxy: Galaxy) -> torch.Tensor:
        data = self.reader.read(galaxy.source, galaxy.member)
        if hashlib.sha256(data).hexdigest() != galaxy.sha256:
            raise ImageRefused("changed image: not the bytes that were ingested; ingest it again")
        return self.view.prepare(decode(data)[0])

    def _concentrations(self, images: list[torch.Tensor]) -> npt.NDArray[np.float32]:
        if not images:
            return np.empty((0, len(self.masks), len(self.model.labels)), dtype=np.float32)
        encoded = self.encode(torch.stack(images))  # (N, D)
        return concentrations(self.model, encoded, self.masks).numpy()  # (N, T, A)
