"""What a training needs: disk for decoded images and checkpoints, memory for a step."""

import math
import shutil
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from zoolens.catalog.arrays import Ints
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.images.view import View
from zoolens.catalog.runtime.progress import remark
from zoolens.catalog.training.folder import TrainingFolder
from zoolens.catalog.training.pixels import TrainingSet, canvas_side
from zoolens.catalog.training.tree_model import Tree

_SHOWN = 2  # galaxies of a trial: batch norm wants more than one
_STATE = 16  # bytes a weight: itself, its average, and two moments of the optimiser
_CHECKPOINTS = 3  # the best, the last, and the one that is being written
_LEAST = 16  # pixels a side, of the smallest view and so of the smallest galaxy
_ENLARGED = 1.5  # times, beyond which it is told
_BESIDE = 700e6  # bytes of memory that Python, torch and timm take before anything is done
_SLACK = 1.25  # of memory: allocators keep some of what was given back


@dataclass(frozen=True)
class Needs:
    """What a training needs.

    train, validation: galaxies. pixels: bytes of their decoded images in the folder, until the
    training is finished; checkpoints: bytes there, two of which stay. memory: bytes of the
    process beside pixels, which the system keeps in memory as far as there is room.
    """

    train: int
    validation: int
    batch_size: int
    pixels: int
    checkpoints: int
    memory: int

    def told(self, path: Path, free: int, available: int | None) -> str:
        """In words, of a folder on a disk with so many bytes free, and memory."""
        words = (
            f"{self.train:,} galaxies to train on and {self.validation:,} to validate with: "
            f"their pixels take {_size(self.pixels)} of disk in {path} until the training is "
            f"finished, checkpoints {_size(self.checkpoints)} ({_size(free)} are free); steps of "
            f"{self.batch_size} take about {_size(self.memory)} of memory"
        )
        if available is None:
            return words
        short = "" if self.memory < available else "; a smaller --batch-size takes less"
        return f"{words} ({_size(available)} are free){short}"

    def check(self, path: Path, free: int) -> None:
        """Raises `CatalogError` if a disk with so many bytes free is too small."""
        if self.pixels + self.checkpoints > free:
            raise CatalogError(
                f"the pixels of {self.train + self.validation:,} galaxies "
                f"({_size(self.pixels)}) and checkpoints ({_size(self.checkpoints)}) do not fit "
                f"on the disk of {path}, where {_size(free)} are free; name a folder on another, "
                "or give a smaller --size"
            )


def needs(model: Tree, batch_size: int, view: View, data: TrainingSet) -> Needs:
    """What training `model` on `data` needs."""
    train, validation = (int((data.split == split).sum()) for split in ("train", "validation"))
    channels = 1 if view.greyscale else 3
    pixels = 3 * train * canvas_side(view, data.largest) ** 2
    pixels += channels * validation * view.size**2
    weights = sum(weight.numel() for weight in model.parameters())
    state = _STATE * weights
    step = kept_for_backward(model, view) * min(batch_size, train)
    memory = _BESIDE + state + _SLACK * step
    return Needs(train, validation, batch_size, pixels, _CHECKPOINTS * state, int(memory))


def kept_for_backward(model: Tree, view: View) -> float:
    """Bytes a galaxy that a step keeps from its forward to its backward pass.

    Those are nearly all of its memory. Measured on a copy of the model, with black images.
    """
    model = deepcopy(model)  # batch norm learns from what it is shown
    kept: dict[int, Tensor] = {}
    theirs = {weight.untyped_storage().data_ptr() for weight in model.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    images = torch.zeros(_SHOWN, 1 if view.greyscale else 3, view.size, view.size)
    with (
        torch.random.fork_rng(devices=[]),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        result = model(images)  # which holds what was kept
    of_images = [tensor for place, tensor in kept.items() if place not in theirs]
    return sum(tensor.untyped_storage().nbytes() for tensor in (*of_images, result)) / _SHOWN


def small_images(sides: Ints, view: View) -> str | None:
    """How many images have too few pixels for a view, in words; None if none has.

    sides (N,): the smaller side of each, pixel. They are shown nevertheless, as to any model
    that predicts: enlarged, which is told if it is by more than half, or with black around them.
    """
    shown = view.size if view.name == "fast" else view.size * view.zoom
    small = sides[sides < shown / (1 if view.name == "fast" else _ENLARGED)]
    if not len(small):
        return None
    number = "all" if len(small) == len(sides) else f"{len(small):,} of {len(sides):,}"
    middle = int(np.median(small))
    fits = max(16, int(middle * view.size / shown))
    how = "have black around them" if view.name == "fast" else "are enlarged, which adds no detail"
    return (
        f"{number} images are small for a view of {view.size} pixels ({small.min()} a side at "
        f"least, {middle} in the middle): they {how}; --size {fits} shows as much of them"
    )


def tell_needs(
    model: Tree, batch_size: int, view: View, data: TrainingSet, folder: TrainingFolder
) -> None:
    """Say what a training needs before its images are decoded; nothing after that.

    Raises `CatalogError` if its folder has not the room for it, or no image has enough pixels
    to show a galaxy.
    """
    if folder.decoded:
        return
    if data.largest < _LEAST:
        raise CatalogError(
            f"the largest image has {data.largest} pixels a side, too few to show a galaxy; "
            f"ingest images of {_LEAST} or more"
        )
    needed = needs(model, batch_size, view, data)
    free = _free_disk(folder)
    needed.check(folder.path, free)
    remark(needed.told(folder.path, free, _free_memory()))
    small = small_images(data.sides, view)
    if small is not None:
        remark(small)


def _free_disk(folder: TrainingFolder) -> int:
    """Bytes that are free where a folder is, or will be; pixels a killed training left are none."""
    place = folder.path.resolve()
    # a pattern finds nothing where there is no folder
    left = [file.stat() for pattern in ("*.npy*", ".*.npy*") for file in place.glob(pattern)]
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free + sum(512 * file.st_blocks for file in left)


def _free_memory() -> int | None:
    """Bytes of memory that can be had; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvail"))
    except (OSError, StopIteration, ValueError):
        return None


def _size(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 0.95e9 else f"{math.ceil(size / 1e6):,} MB"
