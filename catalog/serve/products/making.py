"""What can be made of a galaxy, and the making of it, in a process that may read files."""

import sys
from collections.abc import Callable
from pathlib import Path

from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.products import alike, maps, numbers, pictures
from zoolens.catalog.serve.products.subject import Made, Subject, found

Make = Callable[[Subject, Product, Path], Made]


def _without_files(make: Callable[[Subject, Product], Made]) -> Make:
    return lambda subject, asked, scratch: make(subject, asked)


WAYS: dict[str, Make] = {
    "image": _without_files(pictures.image_in_source),
    "image.png": _without_files(pictures.image_as_seen),
    "outline.png": _without_files(pictures.outlined),
    "maps.json": _without_files(maps.listed),
    "map": _without_files(maps.drawn),
    "maps.fits": maps.cube,
    "votes.json": _without_files(numbers.votes),
    "counterparts": alike.counterparts,
    "similar": alike.similar,
}


def make(served: Path, asked: Product, threads: int, scratch: Path, kept: Path) -> Made:
    """Make what is asked; threads: at most.

    scratch: a folder for files meanwhile; kept: one for maps that need not be made again. Raises
    `CatalogError` if it cannot be had: no such galaxy, or nothing to make it of.
    """
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    with found(served, asked.galaxy, kept) as subject:
        return WAYS[asked.what](subject, asked, scratch)
