"""Trains a larger model on real galaxies on a GPU, in some minutes, from packed pixels.

    bash benchmarks/gpu_train.sh [--minutes 8] [--architecture NAME] [--cpu] ...

What `zoolens train` does (`catalog.training.loop`), without a catalogue: it needs the repository
and what `benchmarks/gpu_train_pack.py` and `benchmarks/gpu_pack.sh` packed. One epoch is timed;
then as many are trained as fit into the minutes, under one cycle of the learning rate. The held-out
galaxies are predicted, the table of `benchmarks.real_model` is printed, and the model, its figures
and its settings are left in $OUT, or in --out.
"""

import argparse
import io
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from PIL import Image

from benchmarks.real_figures import Judged, figures, predicted
from benchmarks.real_tables import rows, shown
from zoolens.catalog.arrays import Flags, Floats, Pixels
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.images.view import View
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import (
    ZoobotModel,
    concentrations,
    dropout_masks,
    load_model,
)
from zoolens.catalog.network.pretrained import load_start
from zoolens.catalog.output.answer import from_arrow, write
from zoolens.catalog.training.augmentation import Examples
from zoolens.catalog.training.folder import Outcome, TrainingFolder
from zoolens.catalog.training.loop import fit
from zoolens.catalog.training.pixels import covered, mapped, viewed
from zoolens.catalog.training.tree_model import Plan, new_tree
from zoolens.catalog.trees.published import get_tree

PACK = Path(__file__).resolve().parent.parent / "build" / "gpu-pack" / "real"
_SPARE = 60  # seconds, for what comes after the last epoch
_BATCH = 256  # images at once, of a prediction


@dataclass(frozen=True)
class Packed:
    """N packed galaxies, as `benchmarks.gpu_train_pack` wrote them.

    canvases (N, 3, S, S) uint8; votes (N, A); split, unselected (N,); about: the pack's settings.
    """

    names: list[str]
    canvases: Pixels
    votes: npt.NDArray[np.float32]
    split: npt.NDArray[np.str_]
    unselected: Flags
    about: dict[str, Any]

    @property
    def view(self) -> View:
        """What the model sees of a whole image."""
        return View.from_config(self.about["view"])

    @property
    def tree(self) -> DecisionTree:
        return get_tree(self.about["tree"])

    def views(self, which: npt.NDArray[np.int64]) -> Pixels:
        """The model's input of galaxies, (M, 3, size, size) uint8: what the view is of a canvas."""
        view = replace(self.view, zoom=self.view.zoom * covered(self.view))
        return np.stack(
            [viewed(Image.fromarray(self.canvases[i].transpose(1, 2, 0)), view) for i in which]
        )


def read_pack(folder: Path) -> Packed:
    """Everything that was packed, decoded."""
    about = json.loads((folder / "about.json").read_text())
    with np.load(folder / "galaxies.npz") as found:
        ends = np.concatenate([[0], np.cumsum(found["sizes"])])
        data = (folder / "canvases.bin").read_bytes()
        shape = (len(ends) - 1, 3, about["side"], about["side"])
        canvases = np.empty(shape, np.uint8)
        for place in range(len(canvases)):
            canvases[place] = decoded(data[ends[place] : ends[place + 1]])
        return Packed(
            found["names"].tolist(),
            canvases,
            found["votes"],
            found["split"],
            found["unselected"],
            about,
        )


def decoded(data: bytes) -> Pixels:
    """The canvas (3, S, S) of a JPEG."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def train(
    packed: Packed, plan: Plan, start: ZoobotModel | None, minutes: float, out: Path
) -> tuple[Plan, Outcome]:
    """Leave the best model of a training of so many minutes in `out`."""
    began = time.perf_counter()
    train, check = (np.flatnonzero(packed.split == s) for s in ("train", "validation"))
    # in a file, which processes that augment map, instead of a copy for each of them
    pixels = out / "canvases.npy"
    np.save(pixels, packed.canvases)
    canvases = Examples(mapped(pixels), train, packed.votes[train])
    views = Examples(packed.views(check), np.arange(len(check)), packed.votes[check])

    def trained(plan: Plan, folder: Path) -> Outcome:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        model = new_tree(packed.tree, plan, packed.view, start)
        return fit(model, plan, packed.view, canvases, views, TrainingFolder(folder))[0]

    trained(replace(plan, epochs=1), out / "timing")
    spent = time.perf_counter() - began
    shutil.rmtree(out / "timing")
    fits = int((60 * minutes - spent - _SPARE) / spent)
    plan = replace(plan, epochs=max(1, min(plan.epochs, fits)))
    print(f"an epoch in {spent:.0f} s: {plan.epochs} epochs", file=sys.stderr, flush=True)
    outcome = trained(plan, out / "training")
    best = TrainingFolder(out / "training").best
    write_model(load_model(str(best)), packed.view, out / "model.safetensors")
    shutil.rmtree(out / "training")
    pixels.unlink()
    return plan, outcome


def predict(packed: Packed, model: Path, which: npt.NDArray[np.int64], device: str) -> Floats:
    """Concentrations (M, T, A) of galaxies, 30 samples of dropout."""
    loaded = load_model(str(model)).for_tree(packed.tree)
    encoder = loaded.encoder.to(device)
    seen = []
    with torch.inference_mode():
        for part in np.array_split(which, range(_BATCH, len(which), _BATCH)):
            images = torch.tensor(packed.views(part)).to(device).float() / 255
            seen.append(encoder(images).float().cpu())
    masks = dropout_masks(30, loaded.weight.shape[1], loaded.dropout_rate, 0)
    alpha: Floats = concentrations(loaded, torch.cat(seen), masks).double().numpy()
    return alpha


def main() -> None:
    """Read, train, predict, judge."""
    parser = argparse.ArgumentParser(prog="gpu_train.sh", description="A model on real galaxies.")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--architecture", default="efficientnet_b0")
    parser.add_argument("--epochs", type=int, default=100, help="at most")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--patience", type=int, default=30)
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT", "build/gpu-train")))
    parser.add_argument("--cpu", action="store_true", help="a dry run, in float32")
    given = parser.parse_args()
    device = "cpu" if given.cpu else "cuda"
    if not given.cpu and not torch.cuda.is_available():
        sys.exit("gpu_train: torch finds no GPU on this machine; a dry run: gpu_train.sh --cpu")
    packed = read_pack(given.pack)
    weights = given.pack / "encoder.safetensors"
    start = load_start(str(weights), given.architecture) if weights.exists() else None
    plan = Plan(
        given.architecture if start is None else start.architecture,
        given.epochs,
        given.batch_size,
        given.learning_rate,
        given.patience,
        int(packed.about["seed"]),
        not given.cpu,
        given.workers,
    )
    given.out.mkdir(parents=True, exist_ok=True)
    plan, outcome = train(packed, plan, start, given.minutes, given.out)
    held_out = np.flatnonzero(packed.split != "train")
    alpha = predict(packed, given.out / "model.safetensors", held_out, device)
    judged = Judged(
        packed.tree,
        [packed.names[i] for i in held_out],
        packed.votes[held_out].astype(np.float64),
        packed.unselected[held_out],
    )
    found = [list(figures(judged, predicted(alpha, packed.tree)))]
    settings = {"plan": vars(plan), "outcome": vars(outcome), "pack": packed.about}
    (given.out / "training.json").write_text(json.dumps(settings, indent=1) + "\n")
    table = pa.Table.from_pylist(list(rows([plan.architecture], found)))
    write(from_arrow(table), out=given.out / "real_model.json")
    print(f"{plan.architecture}: best epoch {outcome.best_epoch} of {outcome.epochs}")
    write(from_arrow(shown(found)), most=1000)


if __name__ == "__main__":
    main()
