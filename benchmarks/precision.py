"""What bfloat16 saves, and what it changes: the bundled model on a hundred real images.

    python -m benchmarks.precision

Each engine runs the encoder in both precisions, in turn; `predict`'s 30 dropout samples of
the head follow. How far concentrations and vote fractions are from those of a float64
encoder, and vote fractions as a share of their own standard deviation, is written to
results/precision.json, with medians of the time an image takes.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from benchmarks.__main__ import IMAGES
from benchmarks.contest import Contest, Way, run, surroundings
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.engines import PRECISIONS, make_encode
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import ZoobotModel, concentrations, dropout_masks, load_model
from zoolens.catalog.paths import BUNDLED_MODEL
from zoolens.catalog.predictions.posterior import Summary, summarise
from zoolens.catalog.trees.published import get_tree

RESULTS = Path(__file__).parent / "results" / "precision.json"
SAMPLES, BATCH = 30, 16


def pictures(model: ZoobotModel) -> torch.Tensor:
    """The real images as the model sees them, (N, C, H, W)."""
    assert model.view is not None  # it is in the bundled file
    with ImageReader() as reader:
        files = sorted(IMAGES.rglob("*.png"))
        return torch.stack([model.view.prepare(reader.open(str(file))) for file in files])


def differences(found: Summary, expected: Summary) -> dict[str, float]:
    """Medians and largest of the answers that the model has."""
    changes = {
        "concentration, of itself": abs(found.concentration / expected.concentration - 1),
        "fraction": abs(found.fraction - expected.fraction),
        "fraction, of its sd": abs(found.fraction - expected.fraction) / expected.sd,
    }
    return {
        f"{what}, {name}": float(summary(values[np.isfinite(values)]))
        for what, values in changes.items()
        for name, summary in (("median", np.median), ("largest", np.max))
    }


def measure() -> dict[str, Any]:
    """Milliseconds an image, and differences, of each engine in each precision."""
    tree = get_tree("gzd5")
    model = load_model(str(BUNDLED_MODEL)).for_tree(tree)
    images = pictures(model)
    masks = dropout_masks(SAMPLES, model.weight.shape[1], model.dropout_rate, 0)

    def posterior(features: torch.Tensor) -> Summary:
        return summarise(concentrations(model, features, masks).numpy(), tree)

    with torch.inference_mode():
        exact = posterior(model.encoder.double()(images.double()).float())
    model.encoder.float()
    sizes = images.shape[1], images.shape[-1]
    encodes = {
        f"{engine}, {precision}": make_encode(engine, model.encoder, *sizes, precision)
        for engine in ("openvino", "torch")
        for precision in PRECISIONS
    }
    results: dict[str, torch.Tensor] = {}

    parts = images.split(BATCH)
    ways = {
        name: Way(lambda encode=encode: torch.cat([*torch_in_order(encode, parts)]))  # type: ignore[misc]
        for name, encode in encodes.items()
    }
    seconds = run(
        Contest(f"features of {len(images)} images", ways, repeats=9, check=results.update)
    )
    return {
        name: {
            "ms an image": 1e3 * statistics.median(seconds[name]) / len(images),
            **differences(posterior(results[name]), exact),
        }
        for name in ways
    }


def main() -> None:
    """Measure, keep, show."""
    if not IMAGES.is_dir():
        sys.exit("there are no images at ../shared/data")
    found = measure()
    RESULTS.write_text(json.dumps({**found, **surroundings()}, indent=1) + "\n")
    table = Table("", *found, box=None)
    for what in next(iter(found.values())):
        table.add_row(what, *(f"{row[what]:.2g}" for row in found.values()))
    Console(soft_wrap=True).print(table)


if __name__ == "__main__":
    main()
