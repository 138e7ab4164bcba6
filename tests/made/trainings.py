"""What a small training learns from: images whose colour says what their votes are."""

import numpy as np

from tests.made.catalogues import random_counts
from zoolens.catalog.images.view import View
from zoolens.catalog.training.augmentation import Examples
from zoolens.catalog.training.tree_model import Plan

VIEW = View("minimal", 32)
PLAN = Plan("resnet10t", 3, 8, 1e-3, 9, seed=1, mixed=False, workers=0)


def examples(galaxies: int, side: int, seed: int = 0) -> Examples:
    """Galaxies that are red, green or blue, and whose votes say so."""
    random = np.random.default_rng(seed)
    colour = np.arange(galaxies) % 3
    pixels = random.integers(0, 60, (galaxies, 3, side, side), dtype=np.uint8)
    pixels[np.arange(galaxies), colour] += 150
    counts = random_counts(galaxies, seed=seed)
    counts[:, :3] = 20 * np.eye(3)[colour]
    return Examples(pixels, np.arange(galaxies), counts.astype(np.float32))
