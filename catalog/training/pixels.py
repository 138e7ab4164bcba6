"""What a model is trained on: galaxies, their votes, and their images, decoded once.

Decoding a PNG takes longer than training on it, and every epoch uses all of them. So decoded
images are kept in a file that is mapped into memory, which the system's cache keeps there if
it fits.
"""

import hashlib
import math
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from zoolens.catalog.arrays import Floats, Ints, Pixels
from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.runtime.parallel import in_order
from zoolens.catalog.runtime.progress import progress, remark

Item = TypeVar("Item")

# How much wider than the view a canvas is, where the image is: rotating and shifting bring in
# what the view crops away.
MARGIN = 1.2
_FINEST = 1.5  # pixels of a canvas per pixel of the view, at most


@dataclass(frozen=True)
class TrainingSet:
    """N galaxies in order of their numbers.

    counts (N, A): votes, 0 for a question that nobody was asked or that had answers
    outside the tree. worth (N, A): the weight of a vote in training, 0..1. split (N,):
    train, validation or test. sides (N,): the smaller side of each image, pixel.
    """

    galaxies: list[Galaxy]
    counts: Floats
    worth: Floats
    split: npt.NDArray[np.str_]
    sides: Ints

    @property
    def largest(self) -> int:
        """The smaller side of the largest image, pixel."""
        return int(self.sides.max())

    @property
    def galaxy_id(self) -> npt.NDArray[np.int64]:
        return np.array([galaxy.galaxy_id for galaxy in self.galaxies], dtype=np.int64)

    @property
    def images_sha256(self) -> str:
        """SHA-256 of the galaxies' numbers and the checksums of their images."""
        lines = [f"{galaxy.galaxy_id} {galaxy.sha256}\n" for galaxy in self.galaxies]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def weighted(self) -> npt.NDArray[np.float32]:
        """Votes times their worth, (N, A)."""
        return (self.counts * self.worth).astype(np.float32)

    def where(self, chosen: npt.NDArray[np.bool_]) -> "TrainingSet":
        """The galaxies that a mask (N,) chooses."""
        return replace(
            self,
            galaxies=[self.galaxies[i] for i in np.flatnonzero(chosen).tolist()],
            counts=self.counts[chosen],
            worth=self.worth[chosen],
            split=self.split[chosen],
            sides=self.sides[chosen],
        )

    def part(self, split: str) -> "TrainingSet":
        """The galaxies of one split."""
        return self.where(self.split == split)


def decode_all(
    data: TrainingSet, view: View, canvases: Path, views: Path
) -> list[tuple[int, CatalogError]]:
    """Canvases of the training galaxies and views of the validating ones, into files.

    Returns the reasons by position of the galaxies whose image is not what was ingested. Tells
    how many are one colour throughout, which are kept.
    """
    side = canvas_side(view, data.largest)
    channels = 1 if view.greyscale else 3
    refused = []
    blank: list[str] = []
    with ImageReader() as reader:

        def image(galaxy: Galaxy) -> Image.Image:
            return reader.open(galaxy.source, galaxy.member, sha256=galaxy.sha256)

        def looked_at(galaxy: Galaxy, pixels: Pixels) -> Pixels:
            if pixels.min() == pixels.max():
                blank.append(galaxy.iauname)
            return pixels

        for split, path, shape, pixels in (
            (
                "train",
                canvases,
                (3, side, side),
                lambda g: looked_at(g, canvas(image(g), view, side)),
            ),
            (
                "validation",
                views,
                (channels, view.size, view.size),
                lambda g: looked_at(g, viewed(image(g), view)),
            ),
        ):
            places = np.flatnonzero(data.split == split).tolist()
            bad = fill(path, [data.galaxies[place] for place in places], shape, pixels)
            refused += [(places[row], error) for row, error in bad]
    if blank:
        remark(
            f"{len(blank):,} images show nothing, one grey throughout: {few(sorted(blank), 3)}; "
            "their votes are trained on all the same, so give them other images if they have some"
        )
    return sorted(refused, key=lambda pair: pair[0])


def fill(
    path: Path, items: list[Item], shape: tuple[int, int, int], pixels: Callable[[Item], Pixels]
) -> list[tuple[int, CatalogError]]:
    """Write `pixels` (C, H, W) of N items to a NumPy file (N, C, H, W), whole or not at all.

    Returns by position the `CatalogError`s that `pixels` raised; the pixels of such items
    are 0.
    """
    refused = []

    def tried(item: Item) -> Pixels | CatalogError:
        try:
            return pixels(item)
        except CatalogError as error:
            return error

    decoded = in_order(tried, items, threads=os.cpu_count() or 1)
    with (
        progress("decoding images", len(items)) as bar,
        closing(decoded) as results,
        replacing(path) as part,
    ):
        array = np.lib.format.open_memmap(
            part, mode="w+", dtype=np.uint8, shape=(len(items), *shape)
        )
        with part.open("rb+") as file:  # or a full disk would end the process
            os.posix_fallocate(file.fileno(), 0, part.stat().st_size)
        for place, result in enumerate(results):
            if isinstance(result, CatalogError):
                refused.append((place, result))
            else:
                array[place] = result
            bar.advance()
        array.flush()
    return refused


def mapped(path: Path) -> Pixels:
    """The pixels (N, C, H, W) of a file that `fill` wrote."""
    array: Pixels = np.load(path, mmap_mode="r")
    return array


def canvas_side(view: View, largest: int) -> int:
    """Side of the canvases, pixel; largest: side of the largest image as stored."""
    if view.name == "fast":
        return math.ceil(MARGIN * view.size)
    wider = covered(view) * view.zoom
    return min(math.ceil(largest * covered(view)), math.ceil(wider * _FINEST * view.size))


def covered(view: View) -> float:
    """The share of an image's side that a canvas for the view "minimal" covers, 0..1."""
    return min(1.0, MARGIN / view.zoom)


def canvas(image: Image.Image, view: View, side: int) -> Pixels:
    """The input of augmentation, (3, side, side): more of the image than the view.

    For the view "fast", which does not resize, the central `side` pixels, black beyond
    the image's edge; otherwise the central square, as much of it as is `covered`, resized.
    Raises `ImageRefused` for an image of one channel that the view does not take.
    """
    image = view.suited(image).convert("RGB")
    across = side if view.name == "fast" else round(min(image.size) * covered(view))
    left, top = (image.width - across) // 2, (image.height - across) // 2
    square = image.crop((left, top, left + across, top + across))
    if square.width != side:
        square = square.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(square).transpose(2, 0, 1)


def viewed(image: Image.Image, view: View) -> Pixels:
    """A model's input for a prediction, (C, size, size), rounded to 8 bits."""
    pixels: Pixels = view.prepare(image).mul(255).round().byte().numpy()
    return pixels
