"""What a GPU is tried on, from a seed: pictures of galaxies, and networks to show them to."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.images.decoding import decode
from zoolens.catalog.images.view import View
from zoolens.catalog.network.model import ZoobotModel, load_model
from zoolens.catalog.paths import BUNDLED_MODEL
from zoolens.catalog.runtime.imports import without

BUNDLED = "resnet10t, bundled"
NETWORKS = (BUNDLED, "efficientnet_b0", "convnext_nano")


def picture(seed: int, kind: str = "PNG", side: int = 424) -> bytes:
    """An encoded picture of a disc with a bulge, on a noisy sky, as surveys' pictures are."""
    random = np.random.default_rng(seed)
    y, x = (np.mgrid[:side, :side] / side - 0.5) + random.normal(0, 0.01, (2, 1, 1))
    angle, flat, scale = random.uniform(0, np.pi), random.uniform(0.3, 1), random.uniform(0.05, 0.1)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    radius = np.hypot(along, across / flat)
    light = np.exp(-radius / scale) + 2 * np.exp(-radius / scale * 5)
    colours = random.uniform(0.5, 1, 3) * light[..., None] + random.normal(0, 0.02, (side, side, 3))
    pixels = np.clip(255 * np.arcsinh(3 * colours) / np.arcsinh(9), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **({"quality": 90} if kind == "JPEG" else {}))
    return file.getvalue()


def seen(view: View, encoded: Sequence[bytes]) -> Tensor:
    """Encoded pictures as a model sees them, (N, C, H, W)."""
    return torch.stack([view.prepare(decode(data).image) for data in encoded])


@dataclass(frozen=True)
class Network:
    """A model and the view of its images."""

    model: ZoobotModel
    view: View


def make_network(name: str, tree: DecisionTree, size: int | None) -> Network:
    """One of `NETWORKS`; `size` pixels a side instead of its own."""
    if name != BUNDLED:
        return Network(random_model(name, tree), View(size=size or 224))
    model = load_model(str(BUNDLED_MODEL)).for_tree(tree)
    view = model.view or View()
    return Network(model, View(view.name, size or view.size, view.greyscale))


def random_model(architecture: str, tree: DecisionTree) -> ZoobotModel:
    """A model of random weights from a seed, whose logits are about 1."""
    with without("wandb"):
        import timm

    torch.manual_seed(0)
    encoder: nn.Module = timm.create_model(architecture, num_classes=0)
    encoder.eval().requires_grad_(False)
    with torch.inference_mode():
        features = encoder(0.2 * torch.rand(2, 3, 224, 224))
    weight = torch.randn(len(tree.labels), features.shape[1])
    weight /= (features @ weight.T).abs().mean()
    bias = torch.rand(len(tree.labels)) - 1
    return ZoobotModel(encoder, weight, bias, 0.2, tree.labels, architecture, 3, None, "")
