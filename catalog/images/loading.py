"""Galaxies' images prepared for a model: read, checked, viewed, or refused."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from PIL import Image

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.segments import Segments, segments
from zoolens.catalog.images.view import View
from zoolens.catalog.store.rejects import Reject

Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Loaded:
    """N galaxies as a model sees them, images (N, C, H, W) in 0..1, and those refused."""

    galaxies: Sequence[Galaxy]
    images: torch.Tensor
    rejects: Sequence[Reject]

    @property
    def asked(self) -> int:
        """How many galaxies were asked for."""
        return len(self.galaxies) + len(self.rejects)


@dataclass(frozen=True)
class ImageBatch(Loaded):
    """The same with what is where in each image."""

    segments: Sequence[Segments]


def load(reader: ImageReader, view: View, galaxies: Sequence[Galaxy]) -> Loaded:
    """Read and view the images of galaxies; missing, changed and unsuited ones are rejects."""
    return load_views(reader, [view], galaxies)[view]


def load_views(
    reader: ImageReader, views: Iterable[View], galaxies: Sequence[Galaxy]
) -> dict[View, Loaded]:
    """As `load`, in several views of the same images, each of which is decoded once."""
    distinct = tuple(dict.fromkeys(views))
    shown, seen, rejects = _seen(
        reader, galaxies, lambda image: [view.prepare(image) for view in distinct]
    )
    return {
        view: Loaded(shown, _stacked([images[place] for images in seen], view), rejects)
        for place, view in enumerate(distinct)
    }


def image_batch(reader: ImageReader, view: View, galaxies: Sequence[Galaxy]) -> ImageBatch:
    """As `load`, and where the galaxy and its neighbours are in each view."""

    def segmented(image: Image.Image) -> tuple[torch.Tensor, Segments]:
        prepared, pixels = view.both(image)
        return prepared, segments(pixels)

    shown, seen, rejects = _seen(reader, galaxies, segmented)
    images = _stacked([image for image, _ in seen], view)
    return ImageBatch(shown, images, rejects, [found for _, found in seen])


def _seen(
    reader: ImageReader, galaxies: Sequence[Galaxy], look: Callable[[Image.Image], Seen]
) -> tuple[list[Galaxy], list[Seen], list[Reject]]:
    """The galaxies whose images are as ingested, the results of `look` on them, and the rejects.

    One image is decoded at a time: they may be large.
    """
    shown, seen, rejects = [], [], []
    for galaxy in galaxies:
        try:
            seen.append(look(reader.open(galaxy.source, galaxy.member, sha256=galaxy.sha256)))
        except ImageRefused as error:
            rejects.append(Reject(galaxy.source, None, galaxy.iauname, str(error)))
        else:
            shown.append(galaxy)
    return shown, seen, rejects


def _stacked(images: Sequence[torch.Tensor], view: View) -> torch.Tensor:
    if not images:
        return torch.empty(0, 1 if view.greyscale else 3, view.size, view.size)
    return torch.stack([*images])
