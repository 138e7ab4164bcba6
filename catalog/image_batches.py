"""Galaxies' images made ready for a model, and their segments."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from catalog.arrays import Mask
from catalog.errors import ImageRefused
from catalog.imaged_galaxies import Galaxy
from catalog.images import ImageReader
from catalog.rejects import Reject
from catalog.segments import central_segment
from catalog.view import View


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
