"""Saliency of every answer beside pytorch-grad-cam's, one target at a time.

Both take the same Zoobot model with random weights and the same real images in
../shared/data, batch by batch. Zoolens makes the HiResCAM maps of all 34 answers, with
dropout off and with 30 dropout samples; pytorch-grad-cam, with dropout off, those of a
few answers, one call a target with its own forward and backward pass: with dropout it
would have to do so for every sample. Ours is also run as `explain --all` runs it, on OpenVINO
where there is a closed form, a few images on each core. The maps must agree to 2e-5 of the
largest value: on some machines each of the two is 1.1e-5 off a float64 encoder's.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.contest import Contest, Way
from tests.made.checkpoints import save, zoobot_tree
from zoolens.catalog.images.view import View
from zoolens.catalog.network.inference import AT_ONCE, torch_in_order
from zoolens.catalog.network.model import ZoobotModel, concentrations, dropout_masks, load_model
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.trees.published import get_tree

TREE = get_tree("gzd5")
ARCHITECTURES = ("efficientnet_b0", "convnext_nano")
COUNT, SAMPLES, TARGETS, ANSWERS = 16, 30, 2, 34
_CLOSE = 2e-5


class Whole(torch.nn.Module):
    """Encoder and head, dropout off, as pytorch-grad-cam takes a model."""

    def __init__(self, model: ZoobotModel) -> None:
        super().__init__()
        self.model, self.encoder = model, model.encoder.requires_grad_(True)
        self.masks = dropout_masks(0, model.weight.shape[1], 0.0, 0)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Concentrations (N, A)."""
        return concentrations(self.model, self.encoder(images), self.masks)[:, 0]


def contests(images: Path) -> Iterator[Contest]:
    """All maps of a batch of images, for each architecture."""
    files = sorted(images.rglob("*.png"))[:COUNT]
    batch = torch.stack([View().prepare(Image.open(file).convert("RGB")) for file in files])
    for architecture in ARCHITECTURES:
        with tempfile.TemporaryDirectory() as folder:
            checkpoint = save(zoobot_tree(architecture, awake=True), Path(folder) / "zoobot.ckpt")
            model, theirs = load_model(str(checkpoint)), load_model(str(checkpoint))
        explainers = {
            samples: Explainer(
                model, dropout_masks(samples, model.weight.shape[1], model.dropout_rate, 0)
            )
            for samples in (0, SAMPLES)
        }
        layer = explainers[0].layer

        def peer(theirs: ZoobotModel = theirs, layer: str = layer) -> np.ndarray:
            return _by_grad_cam(theirs, batch, layer)

        def ours(samples: int, using: dict[int, Explainer] = explainers) -> np.ndarray:
            return using[samples](batch).mean.numpy()

        fast = {
            samples: Explainer(model, explainer.masks, engine="openvino")
            for samples, explainer in explainers.items()
        }

        def side_by_side(samples: int, using: dict[int, Explainer] = fast) -> np.ndarray:
            parts = torch_in_order(using[samples], batch.split(AT_ONCE))
            return torch.cat([part.mean for part in parts]).numpy()

        def fractions(samples: int, using: dict[int, Explainer] = explainers) -> np.ndarray:
            return using[samples].fractions(batch, TREE.slices).mean.numpy()

        def encode(model: ZoobotModel = model) -> None:
            with torch.no_grad():
                model.encoder(batch)

        for samples, work in ((0, ANSWERS), (SAMPLES, ANSWERS * SAMPLES)):
            quick = Way(lambda s=samples, f=side_by_side: f(s), work)  # type: ignore[misc]
            others = {"zoolens, OpenVINO, side by side": quick}
            yield Contest(
                f"{ANSWERS} maps of {COUNT} images, {samples or 'no'} dropout samples, "
                f"{architecture}",
                {
                    "zoolens": Way(lambda s=samples, o=ours: o(s), work),  # type: ignore[misc]
                    **(others if fast[samples].engine == "openvino" else {}),
                    "exact maps of fractions": Way(lambda s=samples, f=fractions: f(s), work),  # type: ignore[misc]
                    "pytorch-grad-cam, a target at a time": Way(peer, TARGETS),
                    "the encoder alone, no map": Way(encode, work),
                },
                check=_agree if samples == 0 else lambda _: None,
            )


def _by_grad_cam(model: ZoobotModel, images: torch.Tensor, layer: str) -> np.ndarray:
    """The maps (N, TARGETS, h, w), before clipping."""
    from pytorch_grad_cam import HiResCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    maps = []
    with HiResCAM(Whole(model), [model.encoder.get_submodule(layer)]) as cam:
        for answer in range(TARGETS):
            cam(images, [ClassifierOutputTarget(answer)] * len(images))
            found = cam.activations_and_grads
            maps.append((found.activations[0] * found.gradients[0]).sum(1).numpy())
    return np.stack(maps, axis=1)


def _agree(results: Mapping[str, Any]) -> None:
    expected = results["pytorch-grad-cam, a target at a time"]
    largest = np.abs(expected).max((2, 3))
    for name, found in results.items():
        if name.startswith("zoolens"):
            off = (np.abs(found[:, :TARGETS] - expected).max((2, 3)) / largest).max()
            if not off <= _CLOSE:
                raise AssertionError(f"{name}: maps differ by {off:.1e} of their largest value")
