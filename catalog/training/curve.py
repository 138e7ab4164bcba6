"""The losses of a training, epoch by epoch: a table and a figure."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoolens.catalog.output.figures import STYLE, save
from zoolens.catalog.runtime.files import replacing

# of each epoch: its number from 1; mean losses, nat per galaxy, summed over questions; the
# learning rate of its last step; seconds that it took
COLUMNS = ("epoch", "training_loss", "validation_loss", "learning_rate", "seconds")
Epoch = Mapping[str, float]

_SIZE = (3.4, 2.3)  # inch: a column of a page
_TRAINING, _VALIDATION = "#7f7f7f", "#0072b2"  # Okabe & Ito's blue
_FEW = 30  # epochs, of which each has a marker


def best_of(history: Sequence[Epoch]) -> Epoch:
    """The epoch with the lowest validation loss, the first of several."""
    return min(history, key=lambda epoch: epoch["validation_loss"])


def write_losses(history: Sequence[Epoch], path: Path) -> None:
    """One row an epoch as CSV, whole or not at all."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for epoch in history:
            writer.writerow([f"{epoch[column]:.6g}" for column in COLUMNS])


def draw_losses(history: Sequence[Epoch], stem: Path) -> list[Path]:
    """Both losses against the epoch, the best epoch marked, as PNG and PDF.

    Training losses are of images that were augmented, as the weights were in the midst of
    their epoch; validation losses of plain ones, after it. Returns the paths.
    """
    epochs = [epoch["epoch"] for epoch in history]
    best = best_of(history)
    style: Any = {
        "marker": "o" if len(history) <= _FEW else "",
        "markersize": 2.5,
        "lw": 1.2,
    }
    with rc_context({**STYLE, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        axes = figure.subplots()
        for of, colour, line in (
            ("training", _TRAINING, "--"),
            ("validation", _VALIDATION, "-"),
        ):
            losses = [epoch[f"{of}_loss"] for epoch in history]
            axes.plot(epochs, losses, color=colour, ls=line, label=of, **style)
        axes.plot(
            best["epoch"],
            best["validation_loss"],
            color="#d55e00",
            marker="*",
            markersize=8,
            ls="",
            label=f"best: epoch {best['epoch']:.0f}, {best['validation_loss']:.4g}",
            zorder=3,
        )
        axes.set(xlabel="epoch", ylabel="loss (nat per galaxy)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        return save(figure, stem)
