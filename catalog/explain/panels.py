"""The panels of figures of saliency: an image, and what raised and lowered a prediction.

Maps are clipped, interpolated and coloured only here; stored maps keep sign and magnitude.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoolens.catalog.explain.portraits import Picture
from zoolens.catalog.explain.wording import MINUS, amount, way
from zoolens.catalog.output.figures import COLOURS
from zoolens.catalog.saliency.arithmetic import upsample

INK, GREY, _SEGMENT, _SEGMENT_ON_DARK = "#1a1a1a", "#595959", "#0f9d8a", "#8ff0df"
SMALL = 6  # points: the least that journals print
# inch: panel, gap between two, words on the left, colour bar
PANEL, GAP, _LEFT, _BAR = 1.56, 0.07, 1.62, 0.09
_SIGNS = {1: "raised", -1: "lowered"}
_MOST_TICKS = 32  # cells a side: of more the edge would be a comb


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float) -> Any:
    """Axes at a place in inches."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(GREY)
    return axes


def column(index: int) -> float:
    """Where a column of panels begins, inches."""
    return _LEFT + index * (PANEL + GAP)


def panels(
    figure: Figure, picture: Picture, norm: Normalize, bottom: float, *, least: float = 0.0
) -> None:
    """A row of panels, its bottom so many inches up: image, increase map, decrease map.

    Maps are drawn over the galaxy in inverted grey, by bilinear interpolation, in the colours of
    norm; ticks are the borders of cells. Dots mark cells whose mean over dropout samples is smaller
    than its standard deviation; a line encloses the central galaxy's segment. Below: what the cells
    of either sign add up to, from `least` on with the share on the galaxy, and what all of them do
    from the baseline to the prediction, where that is known.
    """
    image = axes_at(figure, column(0), bottom, PANEL, PANEL)
    image.imshow(picture.pixels, interpolation="lanczos")
    _outline(image, picture, _SEGMENT_ON_DARK)
    fine = upsample(picture.mean, picture.pixels.shape[0])
    for index, sign in enumerate(_SIGNS, start=1):
        part = sign * np.clip(sign * fine, 0, None)
        panel = axes_at(figure, column(index), bottom, PANEL, PANEL)
        panel.imshow(_over(picture.pixels, COLOURS(norm(part))[..., :3]))
        _outline(panel, picture, _SEGMENT)
        _unsettled(panel, picture, sign)
        _cells(panel, picture)
        below = {"transform": panel.transAxes, "va": "top", "fontsize": SMALL, "color": INK}
        panel.text(0, -0.03, _sum(picture, sign, least), **below)
        if sign > 0 and picture.baseline is not None and picture.predicted is not None:
            panel.text(0, -0.11, way(picture.baseline, picture.predicted), **below)


def _over(
    pixels: npt.NDArray[np.uint8], colours: npt.NDArray[np.floating]
) -> npt.NDArray[np.floating]:
    """Colours multiplied onto the inverted, lightened luminance of an image."""
    luminance = pixels.mean(axis=-1, keepdims=True) / 255
    shaded: npt.NDArray[np.floating] = colours * (1 - 0.4 * luminance)
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


def _cells(panel: Any, picture: Picture) -> None:
    """Ticks on the edges of a panel where its map's cells end."""
    for axis, cells, pixels in zip(
        (panel.yaxis, panel.xaxis), picture.mean.shape, picture.pixels.shape[:2], strict=True
    ):
        if cells <= _MOST_TICKS:
            axis.set_ticks(np.arange(1, cells) * pixels / cells - 0.5)
    look = {"length": 2, "width": 0.4, "color": GREY, "direction": "in"}
    panel.tick_params(labelleft=False, labelbottom=False, top=True, right=True, **look)


def _sum(picture: Picture, sign: int, least: float) -> str:
    total = float(np.clip(sign * picture.mean, 0, None).sum())
    if not total:
        return f"{_SIGNS[sign]} nowhere"
    share = picture.on_target if sign > 0 else picture.lowered_on_target
    where = "" if share is None or total < least else f", {100 * share:.0f} % on galaxy"
    return f"{_SIGNS[sign]} by {amount(total)}{where}"


def colour_bar(figure: Figure, norm: Normalize, bottom: float, height: float) -> None:
    """The bar of all maps of a figure, right of them."""
    axes = axes_at(figure, column(3), bottom, _BAR, height)
    bar = figure.colorbar(
        ScalarMappable(norm, COLOURS),
        cax=axes,
        ticks=MaxNLocator(4, steps=[1, 2, 5, 10], symmetric=True),
        format=lambda value, _: f"{value:+g}".replace("-", MINUS) if value else "0",
    )
    bar.ax.tick_params(labelsize=SMALL, length=1.5, width=0.4, pad=1.5, labelcolor=INK)
    bar.outline.set_linewidth(0.4)
