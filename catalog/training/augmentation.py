"""Images as a training sees them: rotated, shifted and partly erased, by galaxy_datasets."""

from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from galaxy_datasets import transforms
from torch.utils.data import Dataset, Sampler

from zoolens.catalog.arrays import Pixels
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import mixed_seed
from zoolens.catalog.training.pixels import MARGIN, covered, mapped


@dataclass(frozen=True)
class Examples:
    """N galaxies to learn from.

    pixels: (M, C, H, W) uint8; rows (N,): positions of the galaxies among the M; counts:
    (N, A), 0 where a question was not asked. Pixels in a file travel to other processes as its
    name, where they would be read into the memory of each.
    """

    pixels: Pixels
    rows: npt.NDArray[np.int64]
    counts: npt.NDArray[np.float32]

    def __getstate__(self) -> dict[str, Any]:
        pixels = self.pixels
        owner: Any = pixels.base
        if isinstance(pixels, np.memmap) and isinstance(owner, mmap):  # all of it, not a slice
            return {**vars(self), "pixels": Path(str(pixels.filename))}
        return dict(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        pixels = state["pixels"]
        vars(self).update(state, pixels=mapped(pixels) if isinstance(pixels, Path) else pixels)


def augmentation(view: View) -> Any:
    """galaxy_datasets' default view as a transform of canvases, uint8 -> float32 0..1.

    Rotated by any angle, flipped, shifted by up to a tenth, erased in five small boxes.
    Two departures: there is no shear, which would change how round a galaxy is; and the zoom
    varies from five sixths to four thirds of the view's, because surveys scale their images by
    radii that they measure differently.
    """
    config = transforms.default_view_config()
    config.output_size = view.size
    config.greyscale = view.greyscale
    config.pil_to_tensor = False
    config.random_affine.degrees = 180
    config.random_affine.shear = None
    zoom = MARGIN if view.name == "fast" else covered(view) * view.zoom
    config.random_affine.scale = (zoom * 5 / 6, zoom * 4 / 3)
    return transforms.get_galaxy_transform(config)


class Augmented(Dataset):
    """Canvases and counts by key: epoch x N + position, which seeds the augmentation."""

    def __init__(self, canvases: Examples, view: View, seed: int) -> None:
        self._canvases = canvases
        self._transform = augmentation(view)
        self._seed = seed

    def __getitem__(self, key: int) -> dict[str, Any]:
        where = key % len(self._canvases.rows)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mixed_seed(self._seed, key))
            canvas = torch.tensor(self._canvases.pixels[self._canvases.rows[where]])
            image = self._transform(canvas)
        return {"image": image, "counts": self._canvases.counts[where]}


class Shown(Dataset):
    """Views and counts, without augmentation."""

    def __init__(self, views: Examples) -> None:
        self._views = views

    def __len__(self) -> int:
        return len(self._views.rows)

    def __getitem__(self, where: int) -> dict[str, Any]:
        view = torch.tensor(self._views.pixels[self._views.rows[where]])
        return {"image": view / 255, "counts": self._views.counts[where]}


class Shuffled(Sampler[int]):
    """Keys of N galaxies in an order that depends on the seed and the epoch."""

    def __init__(self, galaxies: int, seed: int) -> None:
        self._galaxies, self._seed, self._epoch = galaxies, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch, resumed ones included."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._galaxies

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._galaxies)
        return iter((order + self._epoch * self._galaxies).tolist())
