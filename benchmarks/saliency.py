"""Saliency of every answer beside pytorch-grad-cam's, one target at a time.

    python -m benchmarks.saliency [REPEATS]

Both take the same Zoobot models with random weights, channels last, and the same real
PNG images in ../shared/data. Zoolens makes the HiResCAM maps of all 34 answers, with
dropout off and with 30 dropout samples; pytorch-grad-cam, with dropout off, those of
the first answers, one call a target, each with its own forward and backward pass.
Writes raw wall and processor seconds of every call to results/saliency.json, the
seconds that reading, viewing and segmenting the images take, and the largest difference
of the maps themselves in units of each map's largest value; ratios are for whoever
reads it.
"""

import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.predict import IMAGES, timed
from catalog.image_batches import image_batch
from catalog.images import ImageReader
from catalog.model import ZoobotModel, concentrations, dropout_masks, load_model
from catalog.predictor import Galaxy
from catalog.saliency import Explainer
from catalog.segments import central_segment
from catalog.view import View
from tests.checkpoints import save, zoobot_tree

RESULTS = Path(__file__).parent / "results" / "saliency.json"
ARCHITECTURES = ("efficientnet_b0", "convnext_nano")
COUNT, SAMPLES, TARGETS = 16, 30, 4


class Whole(torch.nn.Module):
    """Encoder and head, dropout off, as pytorch-grad-cam takes a model."""

    def __init__(self, model: ZoobotModel) -> None:
        super().__init__()
        self.model, self.encoder = model, model.encoder.requires_grad_(True)
        self.masks = dropout_masks(0, model.weight.shape[1], 0.0, 0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Concentrations (N, A)."""
        return concentrations(self.model, self.encoder(images), self.masks)[:, 0]


def by_grad_cam(model: ZoobotModel, images: torch.Tensor, layer: str) -> tuple[Any, np.ndarray]:
    """Seconds of each target, and the maps (N, TARGETS, h, w) before clipping."""
    from pytorch_grad_cam import HiResCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    seconds, maps = [], []
    with HiResCAM(Whole(model), [model.encoder.get_submodule(layer)]) as cam:
        for answer in range(TARGETS):
            targets = [ClassifierOutputTarget(answer)] * len(images)
            spent, _ = timed(lambda given=targets: cam(images, given))  # type: ignore[misc]
            seconds.append(spent)
            found = cam.activations_and_grads
            maps.append((found.activations[0] * found.gradients[0]).sum(1).numpy())
    model.encoder.requires_grad_(False)
    return seconds, np.stack(maps, axis=1)


def compare(architecture: str, images: torch.Tensor, repeats: int) -> dict[str, Any]:
    """Raw seconds of both on a batch of images."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = save(zoobot_tree(architecture, awake=True), Path(folder) / "zoobot.ckpt")
        model = load_model(str(checkpoint))
    result: dict[str, Any] = {"grad-cam, a target": []}
    for samples in (0, SAMPLES):
        masks = dropout_masks(samples, model.weight.shape[1], model.dropout_rate, 0)
        setting, explainer = timed(lambda given=masks: Explainer(model, given))  # type: ignore[misc]
        result[f"zoolens, {samples} samples, set up"] = setting
        explainer(images)  # what is imported and allocated once
        result[f"zoolens, {samples} samples, all answers"] = [
            timed(lambda given=explainer: given(images))[0]  # type: ignore[misc]
            for _ in range(repeats)
        ]
        if samples == 0:
            mean = explainer(images).mean[:, :TARGETS].numpy()
            for _ in range(repeats):
                seconds, expected = by_grad_cam(model, images, explainer.layer)
                result["grad-cam, a target"] += seconds
            largest = np.abs(expected).max((2, 3))
            result["largest_difference"] = float(
                (np.abs(mean - expected).max((2, 3)) / largest).max()
            )
    with torch.no_grad():
        result["encoder"] = [timed(lambda: model.encoder(images))[0] for _ in range(repeats)]
    return result


def main(repeats: int) -> None:
    """Measure and write."""
    files = sorted(IMAGES.rglob("*.png"))[:COUNT]
    view = View()
    with ImageReader() as reader:
        galaxies = [
            Galaxy(i, file.stem, str(file), None, reader.inspect(str(file)).sha256)
            for i, file in enumerate(files)
        ]
        image_batch(reader, view, galaxies[:1])  # imports
        reading, batch = timed(lambda: image_batch(reader, view, galaxies))
        pixels = [view.display(reader.open(str(file))) for file in files]
    segmenting, _ = timed(lambda: [central_segment(each) for each in pixels])
    results = {name: compare(name, batch.images, repeats) for name in ARCHITECTURES}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps(
            {
                "images": len(files),
                "answers": 34,
                "cores": os.cpu_count(),
                "machine": platform.processor() or platform.machine(),
                "torch": torch.__version__,
                "torch_threads": torch.get_num_threads(),
                "seconds_for_all_images": results,
                "seconds_read_view_segment": reading,
                "seconds_segment": segmenting,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
