"""Galaxies' images made ready for a model, and their segments."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pyarrow as pa
import torch

from zoolens.catalog.arrays import Mask
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.reader import ImageFacts, ImageReader
from zoolens.catalog.images.segments import central_segment
from zoolens.catalog.images.sources import ImageEntry
from zoolens.catalog.images.view import View
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.tables import arrow_schema


@dataclass(frozen=True)
class ImageBatch:
    """N galaxies with images, and those that were refused.

    galaxies: N of them; images: (N, C, H, W) in 0..1; segments: each (H, W), or None
    where the image has nothing at its centre.
    """

    galaxies: Sequence[Galaxy]
    images: torch.Tensor
    segments: Sequence[Mask | None]
    rejects: Sequence[Reject]

    @property
    def asked(self) -> int:
        """How many galaxies were to be seen."""
        return len(self.galaxies) + len(self.rejects)


def image_batch(reader: ImageReader, view: View, galaxies: Sequence[Galaxy]) -> ImageBatch:
    """Read, view and segment the images of galaxies; missing and refused ones are rejects."""
    accepted, images, segments, rejects = [], [], [], []
    for galaxy in galaxies:
        try:
            image = reader.open(galaxy.source, galaxy.member, sha256=galaxy.sha256)
        except ImageRefused as error:
            rejects.append(Reject(galaxy.source, None, galaxy.iauname, str(error)))
            continue
        prepared, pixels = view.both(image)
        accepted.append(galaxy)
        images.append(prepared)
        segments.append(central_segment(pixels))
    channels = 1 if view.greyscale else 3
    none = torch.empty(0, channels, view.size, view.size)
    return ImageBatch(accepted, torch.stack(images) if images else none, segments, rejects)


class ImageChecker:
    """Decodes images in as many threads as there are processors; a context manager."""

    def __init__(self) -> None:
        self._reader = ImageReader()
        self._pool = ThreadPoolExecutor(os.cpu_count())

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._reader.__exit__(kind, error, trace)

    def tables(self, shard: Sequence[tuple[int, ImageEntry]]) -> dict[str, pa.Table]:
        """Rows of `image` for the good images and of `reject` for the others.

        shard: galaxy numbers and their images.
        """
        rows, rejects = [], []
        checked = self._pool.map(self._check, [entry for _, entry in shard])
        for (galaxy, entry), facts in zip(shard, checked, strict=True):
            if isinstance(facts, ImageRefused):
                rejects.append(entry.refused(str(facts)))
            else:
                place = {"galaxy_id": galaxy, "source": entry.source, "member": entry.member}
                rows.append({**place, **vars(facts)})
        rows.sort(key=lambda row: row["galaxy_id"])
        return {
            "image": pa.Table.from_pylist(rows, schema=arrow_schema("image")),
            "reject": reject_table(rejects),
        }

    def _check(self, entry: ImageEntry) -> ImageFacts | ImageRefused:
        try:
            return self._reader.inspect(entry.source, entry.member)
        except ImageRefused as refused:
            return refused
