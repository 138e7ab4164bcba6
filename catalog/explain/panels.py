"""The panels of figures of saliency: an image, and what raised and lowered a prediction.

Maps are clipped, interpolated and coloured only here; stored maps keep sign and magnitude.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoolens.catalog.explain.portraits import Picture
from zoolens.catalog.output.figures import COLOURS
from zoolens.catalog.saliency.arithmetic import Of, upsample

INK, GREY, _SEGMENT = "#1a1a1a", "#595959", "#0f9d8a"
_MINUS = "\N{MINUS SIGN}"
# inch: a page's text width; panel, gap, words on the left, bar; heading, rows, foot lines
WIDTH, PANEL, GAP, _LEFT, _BAR = 7.1, 1.56, 0.07, 1.62, 0.09
TOP, BETWEEN, LINE = 0.42, 0.24, 0.1

KEY = (
    "Colours: red pixels raised the {}, blue ones lowered it, on a scale of each row's own. "
    "Line: the central galaxy."
)
DOTS = "Dots: cells whose mean is below its standard deviation."
# What a map can be of, in words; the units of its cells.
WORDS: dict[Of, str] = {
    "concentration": "predicted concentration",
    "fraction": "predicted fraction",
    "cross_entropy": "loss",
}
UNITS: dict[Of, str] = {
    "concentration": "concentration",
    "fraction": "vote fraction",
    "cross_entropy": "nat",
}


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float) -> Any:
    """Axes at a place in inches."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(GREY)
    return axes


def text(figure: Figure, x: float, y: float, words: str, **style: Any) -> None:
    """Words at a place in inches."""
    across, up = figure.get_size_inches()
    figure.text(x / across, y / up, words, **{"color": INK, "va": "top", **style})


def column(index: int) -> float:
    """Where a column of panels begins, inches."""
    return _LEFT + index * (PANEL + GAP)


def titles(figure: Figure, height: float, unit: str) -> None:
    """What is in each column of panels, and the unit of their bars; height: inches."""
    for index, title in enumerate(("image", "increase", "decrease")):
        text(figure, column(index), height - TOP + 0.14, title, fontsize=7.5)
    style = {"ha": "right", "va": "bottom", "fontsize": 5.8, "color": GREY}
    text(figure, WIDTH - 0.02, height - TOP + 0.04, f"{unit}\nper cell", **style)


def foot(figure: Figure, lines: Sequence[str]) -> None:
    """Lines at the foot of a figure, the last at the bottom."""
    for index, line in enumerate(reversed(lines)):
        text(figure, 0.02, 0.03 + index * LINE, line, fontsize=5.5, color=GREY, va="bottom")


def panels(figure: Figure, picture: Picture, bottom: float) -> None:
    """A row of panels, its bottom so many inches up: image, increase map, decrease map, bar.

    Maps are drawn over the galaxy in inverted grey, by bilinear interpolation; both share the
    scale of the bar, symmetric about 0. Dots mark cells whose mean over dropout samples is
    smaller than its standard deviation; a line encloses the central galaxy's segment.
    """
    reach = float(np.abs(picture.mean).max()) or 1.0
    norm = TwoSlopeNorm(0, -reach, reach)
    image = axes_at(figure, column(0), bottom, PANEL, PANEL)
    image.imshow(picture.pixels, interpolation="lanczos")
    _outline(image, picture, "#8ff0df")
    size = picture.pixels.shape[0]
    fine = upsample(picture.mean, size)
    for index, part in enumerate((np.clip(fine, 0, None), np.clip(fine, None, 0)), start=1):
        panel = axes_at(figure, column(index), bottom, PANEL, PANEL)
        panel.imshow(_over(picture.pixels, COLOURS(norm(part))[..., :3]))
        _outline(panel, picture, _SEGMENT)
        _unsettled(panel, picture, 1 if index == 1 else -1)
        _sum(panel, picture, 1 if index == 1 else -1)
    _bar(figure, norm, bottom)


def _over(
    pixels: npt.NDArray[np.uint8], colours: npt.NDArray[np.floating]
) -> npt.NDArray[np.floating]:
    """Colours multiplied onto the inverted, lightened luminance of an image."""
    luminance = pixels.mean(axis=-1, keepdims=True) / 255
    shaded: npt.NDArray[np.floating] = colours * (1 - 0.6 * luminance)
    return shaded


def _outline(panel: Any, picture: Picture, colour: str) -> None:
    if picture.segment is not None:
        panel.contour(picture.segment, [0.5], colors=[colour], linewidths=0.7)
    height, width = picture.pixels.shape[:2]
    panel.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def _unsettled(panel: Any, picture: Picture, sign: int) -> None:
    """Put dots in cells whose sign the dropout samples leave open."""
    if picture.sd is None:
        return
    rows, columns = np.nonzero((sign * picture.mean > 0) & (np.abs(picture.mean) < picture.sd))
    cell = np.array(picture.pixels.shape[:2]) / picture.mean.shape
    y, x = (np.stack([rows, columns], 1) + 0.5).T * cell[:, None] - 0.5
    panel.plot(x, y, ".", color=INK, markersize=1.6, markeredgewidth=0)


def _sum(panel: Any, picture: Picture, sign: int) -> None:
    total = np.clip(sign * picture.mean, 0, None).sum() * sign
    words = f"sum {number(total, signed=True)}"
    if sign > 0 and picture.on_target is not None:
        words += f", {picture.on_target:.0%} on the galaxy"
    below = {"transform": panel.transAxes, "va": "top"}
    panel.text(0, -0.03, words, fontsize=5.8, color=GREY, **below)


def _bar(figure: Figure, norm: Normalize, bottom: float) -> None:
    axes = axes_at(figure, column(3), bottom, _BAR, PANEL)
    bar = figure.colorbar(
        ScalarMappable(norm, COLOURS),
        cax=axes,
        ticks=MaxNLocator(4, steps=[1, 2, 5, 10], symmetric=True),
        format=lambda value, _: f"{value:+g}".replace("-", _MINUS) if value else "0",
    )
    bar.ax.tick_params(labelsize=5.5, length=1.5, width=0.4, pad=1.5, labelcolor=INK)
    bar.outline.set_linewidth(0.4)


def number(value: float, *, signed: bool = False) -> str:
    """Three digits, with a true minus sign."""
    text = f"{value:+#.3g}" if signed else f"{value:#.3g}"
    return text.removesuffix(".").replace("-", _MINUS)
