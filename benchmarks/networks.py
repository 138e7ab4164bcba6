"""Explanations of the networks that people use, beside their forward pass and pytorch-grad-cam.

    python -m benchmarks.networks [NETWORK ...]

Each network, with random weights, in a process of its own: all maps of 34 answers with 30 dropout
samples of 16 real images, by OpenVINO and by torch, a few images on each core as `explain --all`
does, in turn with the encoder alone on the same engine, as `predict` runs it. The ratio of the two
in the same round is what counts. Maps by OpenVINO in bfloat16 take part, too (slower than float32
on a processor that has none). pytorch-grad-cam makes the map of one answer of four images without
dropout, forward and backward pass, and its time is multiplied: by 34 answers, by 30 samples, by
four. Maps of the fractions that add up (DeepLIFT, where the network has them) are made of the 34
answers as ten questions of two to six. Maps of two images are compared with autograd's of the
encoder in float64. Raw seconds and errors are appended to results/networks.jsonl, with machine,
versions and commit; a table of medians is printed and, of all networks, written into docs/speed.md.
"""

import copy
import itertools
import json
import logging
import statistics
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from torch import Tensor, nn

from benchmarks.__main__ import IMAGES
from benchmarks.contest import Contest, Way, run, surroundings
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.images.view import View
from zoolens.catalog.network.engines import make_encode
from zoolens.catalog.network.inference import AT_ONCE, torch_in_order
from zoolens.catalog.network.model import ZoobotModel, concentrations, dropout_masks
from zoolens.catalog.saliency.deeplift import DeepLift
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.saliency.layouts import find_layout

RESULTS = Path(__file__).parent / "results" / "networks.jsonl"
PAGE = Path(__file__).parents[1] / "docs" / "speed.md"
BEGIN, END = "<!-- networks -->", "<!-- end of networks -->"
COUNT, FEW, SAMPLES, ANSWERS, ROUNDS, RATE = 16, 4, 30, 34, 5, 0.2
ENGINES = ("openvino", "torch")
HALF, FINE = "maps, openvino, bfloat16", "fractions that add up, torch"
# 34 answers, as GZD-5's: ten questions of 2 to 6
QUESTIONS = tuple(
    slice(a, b) for a, b in itertools.pairwise((0, 3, 5, 7, 10, 15, 18, 21, 24, 30, 34))
)


@dataclass(frozen=True)
class Network:
    """One of timm's, with images of `size` pixels."""

    architecture: str
    size: int = 224
    settings: dict[str, Any] = field(default_factory=dict)


NETWORKS = {
    "convnext_pico": Network("convnext_pico"),
    "convnext_nano": Network("convnext_nano"),
    "convnext_tiny": Network("convnext_tiny"),
    "convnext_base": Network("convnext_base"),
    "efficientnet_b0": Network("efficientnet_b0"),
    "tf_efficientnetv2_s": Network("tf_efficientnetv2_s"),
    "resnet10t": Network("resnet10t"),
    "resnet50": Network("resnet50"),
    "regnety_016": Network("regnety_016"),
    "maxvit_tiny_tf_224": Network("maxvit_tiny_tf_224"),
    "swinv2_tiny_window8_256": Network("swinv2_tiny_window8_256", 256),
    "vit_small_patch16_224, class token": Network("vit_small_patch16_224"),
    "vit_small_patch16_224, mean": Network(
        "vit_small_patch16_224", settings={"global_pool": "avg"}
    ),
}


class Whole(nn.Module):
    """Encoder and head, dropout off, as pytorch-grad-cam takes a model; concentrations (N, A)."""

    def __init__(self, model: ZoobotModel) -> None:
        super().__init__()
        self.model, self.encoder = model, copy.deepcopy(model.encoder).requires_grad_(True)
        self.masks = dropout_masks(0, model.weight.shape[1], 0.0, 0)

    def forward(self, images: Tensor) -> Tensor:
        return concentrations(self.model, self.encoder(images), self.masks)[:, 0]


def pictures(size: int) -> Tensor:
    """Real images, (COUNT, 3, size, size)."""
    files = sorted(IMAGES.rglob("*.png"))[:COUNT]
    view = View(size=size)
    return torch.stack([view.prepare(Image.open(file).convert("RGB")) for file in files])


def random_model(network: Network, images: Tensor) -> ZoobotModel:
    """Random weights, whose batch norms fit the images and whose logits vary about -1.5."""
    torch.manual_seed(0)
    encoder = timm.create_model(network.architecture, num_classes=0, **network.settings).eval()
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        for norm in norms:
            norm.momentum = 1.0
        if norms:
            encoder.train()(images[:8])
        features = encoder.eval().requires_grad_(False)(images[:8])
        weight = torch.randn(ANSWERS, features.shape[1])
        logits = features @ weight.T
        weight /= logits.std()
    return ZoobotModel(
        encoder=encoder,
        weight=weight,
        bias=-1.5 - logits.mean(0) / logits.std(),
        dropout_rate=RATE,
        labels=tuple(f"answer_{k}" for k in range(ANSWERS)),
        architecture=network.architecture,
        channels=3,
        view=None,
        sha256="",
    )


def measure(name: str) -> dict[str, Any]:
    """Seconds of each way, and how far maps are from those of float64."""
    network = NETWORKS[name]
    images = pictures(network.size)
    model = random_model(network, images)
    masks = dropout_masks(SAMPLES, model.weight.shape[1], RATE, 0)
    ways, errors = {}, {}
    explainers = {
        engine: Explainer(model, masks, size=network.size, engine=engine) for engine in ENGINES
    }
    layer = explainers["torch"].layer
    expected = _exact_maps(model, masks, layer, images[:2])
    for engine, explainer in explainers.items():
        assert explainer.engine == engine, f"{name} is explained by {explainer.engine} alone"
        encode = make_encode(engine, model.encoder, 3, network.size)
        ways[f"encoder, {engine}"] = Way(partial(_side_by_side, encode, images))
        ways[f"maps, {engine}"] = Way(partial(_side_by_side, explainer, images))
        errors[engine] = _error(explainer(images[:2]).mean, expected)
    try:
        half = Explainer(model, masks, size=network.size, engine="openvino", precision="bfloat16")
        ways[HALF] = Way(partial(_side_by_side, half, images))
        errors[HALF] = _error(half(images[:2]).mean, expected)
    except CatalogError:  # features by it are too far off
        pass
    whole = Whole(model)
    fine: dict[str, Any] = {}
    try:
        adding_up = DeepLift(model, masks, QUESTIONS, size=network.size)
        ways[FINE] = Way(partial(_side_by_side, adding_up, images), repeats=3)
        made = adding_up(images[:2])
        off = made.maps.sum((2, 3)) - (made.predicted - made.baseline)
        fine = {"layer": adding_up.layer, "cells": adding_up.grid[0], "off": float(off.abs().max())}
    except ModelRefused:  # it has a step without a secant
        pass
    ways["pytorch-grad-cam"] = Way(lambda: _by_grad_cam(whole, layer, images[:FEW]), repeats=2)
    seconds = run(Contest(name, ways, repeats=ROUNDS))
    return {
        "network": name,
        "layer": layer,
        "seconds": seconds,
        "errors": errors,
        "adding up": fine,
    }


def _side_by_side(function: Callable[[Tensor], Any], images: Tensor) -> list[Any]:
    return list(torch_in_order(function, images.split(AT_ONCE)))


def _exact_maps(model: ZoobotModel, masks: Tensor, layer: str, images: Tensor) -> Tensor:
    """Mean HiResCAM of the first answers, by autograd in float64: (N, FEW, h, w)."""
    encoder = copy.deepcopy(model.encoder).double()
    kept: list[Tensor] = []

    def keep(module: nn.Module, _: Any, output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[-1]

    handle = encoder.get_submodule(layer).register_forward_hook(keep)
    sampled = encoder(images.double())[:, None] * masks  # (N, T, D)
    handle.remove()
    logits = sampled @ model.weight.double().T + model.bias
    layout = find_layout(encoder, kept[0])
    assert layout is not None
    maps = []
    for answer in range(FEW):
        alpha = 100 * torch.sigmoid(logits[:, :, answer]).mean(1).sum()
        (gradient,) = torch.autograd.grad(alpha, kept[0], retain_graph=True)
        maps.append(layout.to_map(kept[0] * gradient).sum(1).detach())
    return torch.stack(maps, dim=1)


def _error(maps: Tensor, expected: Tensor) -> float:
    """Largest difference of a map, as a share of its largest value."""
    off = (maps[:, : expected.shape[1]] - expected).abs().amax((2, 3))
    return float((off / expected.abs().amax((2, 3))).max())


def _by_grad_cam(whole: Whole, layer: str, images: Tensor) -> np.ndarray:
    from pytorch_grad_cam import HiResCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    def as_map(output: Tensor) -> Tensor:
        layout = find_layout(whole.encoder, output)
        assert layout is not None
        return layout.to_map(output)

    module = whole.encoder.get_submodule(layer)
    with HiResCAM(whole, [module], reshape_transform=as_map) as cam:
        return cam(images, [ClassifierOutputTarget(0)] * len(images))


def table(results: list[dict[str, Any]]) -> str:
    """Medians in milliseconds an image, of ratios within a round, and errors."""
    lines = [
        "| network | layer | encoder; maps, OpenVINO | ratio | encoder; maps, torch | ratio "
        "| pytorch-grad-cam: no samples; 30 | error: OpenVINO; torch "
        "| bfloat16, of float32; error | fractions that add up: layer, cells, times the encoder |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for result in results:
        seconds = result["seconds"]
        middle = {way: statistics.median(spent) for way, spent in seconds.items()}
        cells = [result["network"], f"`{result['layer']}`"]
        for engine in ENGINES:
            alone, maps = (f"{what}, {engine}" for what in ("encoder", "maps"))
            pairs = zip(seconds[maps], seconds[alone], strict=True)
            times = [f"{1000 / COUNT * middle[way]:.1f}" for way in (alone, maps)]
            cells += ["; ".join(times) + " ms"]
            cells += [f"{statistics.median(ours / theirs for ours, theirs in pairs):.2f}"]
        peer = middle["pytorch-grad-cam"] * COUNT / FEW * ANSWERS / middle["maps, openvino"]
        errors = [f"{result['errors'][engine]:.0e}" for engine in ENGINES]
        cells += [f"{_rounded(peer)}; {_rounded(SAMPLES * peer)}", "; ".join(errors)]
        if HALF in middle:
            share = middle[HALF] / middle["maps, openvino"]
            cells += [f"{share:.2f}; {result['errors'][HALF]:.0e}"]
        else:
            cells += ["refused"]
        if fine := result["adding up"]:
            times = middle[FINE] / middle["encoder, torch"]
            cells += [f"`{fine['layer']}`, {fine['cells']} x {fine['cells']}, {times:.1f}"]
        else:
            cells += ["none"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _rounded(ratio: float) -> str:
    """To two digits."""
    return f"{float(f'{ratio:.1e}'):,.0f}"


def main() -> None:
    """Measure each network in a process of its own, keep, show."""
    names = sys.argv[1:] or list(NETWORKS)
    if unknown := set(names) - set(NETWORKS):
        sys.exit(f"no network {unknown.pop()!r}; choose from {'; '.join(NETWORKS)}")
    if not IMAGES.is_dir():
        sys.exit("there are no images at ../shared/data")
    if len(names) == 1:
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        row = {**measure(names[0]), **surroundings()}
        with RESULTS.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(table([row]))
        return
    before = len(_rows())
    for name in names:
        print(f"{name} ...", file=sys.stderr)
        one = [sys.executable, "-m", "benchmarks.networks", name]
        subprocess.run(one, check=True, stdout=subprocess.DEVNULL)
    found = table([json.loads(row) for row in _rows()[before:]])
    print(found)
    if names == list(NETWORKS):
        start, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(f"{start}{BEGIN}\n{found}\n{END}{rest.split(END)[1]}")


def _rows() -> list[str]:
    return RESULTS.read_text().splitlines() if RESULTS.exists() else []


if __name__ == "__main__":
    main()
