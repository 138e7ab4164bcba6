"""Maps of fractions that add up, on a GPU: whether they do, and what they take."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu_time import seconds_of
from benchmarks.gpu_trial import Trial
from tests.oracles.saliency import Expected
from zoolens.catalog.saliency.deeplift import blurred

_MOST = 256  # images in a measurement: DeepLIFT takes sixteen at once, however many there are


def sums_off(trial: Trial, images: Tensor) -> Tensor:
    """How far maps' sums are at most from what they should add up to, of a galaxy's largest: (N,).

    That is what a float64 encoder on the CPU predicts of the images less that of them blurred.
    """
    predicts = Expected(trial.network.model, trial.masks, trial.tree.slices)
    with torch.inference_mode():
        changes = predicts(images) - predicts(blurred(images))
    off = trial.deeplift(images).maps.sum((2, 3)) - changes
    return off.abs().amax(1) / changes.abs().amax(1)


def adding_up(trial: Trial) -> dict[str, Any]:
    """Maps of the fractions of all answers, and of one answer of each image."""
    explain, encode = trial.deeplift, trial.encoder("float32")
    answers = len(trial.tree.labels)
    rows = []
    for n in trial.sizes.batches:
        if n > _MOST:
            break
        images = trial.images(n)
        ways: dict[str, Callable[[], object]] = {
            "encoder": partial(encode, images),
            "all": partial(explain, images),
            "one each": partial(explain.one_each, images, [k % answers for k in range(n)]),
        }
        device, spent = encode.place.device, trial.sizes.spent
        took = {name: seconds_of(way, device, spent) for name, way in ways.items()}
        row: dict[str, Any] = {"images": n}
        for name in ("all", "one each"):
            row[f"{name}, galaxies a second"] = n / took[name]
            row[f"{name}, times the encoder"] = took[name] / took["encoder"]
        rows.append(row)
    return {"layer": explain.layer, "grid": explain.grid, "batches": rows}
