"""The paper's figure: a galaxy, and what raised and lowered a concentration.

Su et al. 2023, figures 1 to 3, as one figure: the selected galaxy and its observed and
predicted counterparts, each as image, increase map and decrease map. Maps are clipped,
interpolated and coloured only here; stored maps keep sign and magnitude.
"""

import textwrap
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from zoolens.catalog.explain.portraits import Explanation, Picture, Portrait, outside_votes
from zoolens.catalog.output.figures import COLOURS, STYLE, shown
from zoolens.catalog.saliency.arithmetic import Of, upsample
from zoolens.catalog.store.facts import AnswerFacts
from zoolens.catalog.store.matrices import ROUNDING_VOTES

_INK, _GREY, _SEGMENT = "#1a1a1a", "#595959", "#0f9d8a"
_MINUS = "\N{MINUS SIGN}"
# inch: a page's text width; panel, gap, words on the left, bar; heading, rows, foot lines
_WIDTH, _PANEL, _GAP, _LEFT, _BAR = 7.1, 1.56, 0.07, 1.62, 0.09
_TOP, _BETWEEN, _LINE = 0.42, 0.24, 0.1

_KEY = (
    "Colours: red pixels raised the {}, blue ones lowered it, on a scale of each row's own. "
    "Line: the central galaxy."
)
_DOTS = "Dots: cells whose mean is below its standard deviation."
# What a map can be of, in words; the units of its cells.
WORDS: dict[Of, str] = {
    "concentration": "predicted concentration",
    "fraction": "predicted fraction",
    "cross_entropy": "loss",
}
_UNITS: dict[Of, str] = {
    "concentration": "concentration",
    "fraction": "vote fraction",
    "cross_entropy": "nat",
}


def explanation_figure(explanation: Explanation, provenance: str) -> Figure:
    """The figure of an explanation: one row per galaxy; image, increase map, decrease map.

    Maps are drawn over the galaxy in inverted grey, by bilinear interpolation. The two
    maps of a row and its bar share a scale, symmetric about 0, which other rows do not share;
    the bar is in units of concentration per cell of the map. Dots mark cells whose mean over
    dropout samples is smaller than its standard deviation; a line encloses the central
    galaxy's segment. provenance: one line for the foot.
    """
    key = [_KEY.format(WORDS[explanation.of])]
    if explanation.of == "concentration":
        key.append(_DOTS)
    foot = [*explanation.notes, *key, provenance]
    rows = len(explanation.portraits)
    height = _TOP + rows * (_PANEL + _BETWEEN) + len(foot) * _LINE + 0.02
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a foreign script
        figure = Figure(figsize=(_WIDTH, height))
        _head(figure, explanation, height)
        for row, portrait in enumerate(explanation.portraits):
            bottom = height - _TOP - (row + 1) * _PANEL - row * _BETWEEN
            _words(figure, portrait, explanation.answer_id, bottom)
            if portrait.picture is None:
                _absent(figure, portrait.missing, bottom)
            else:
                _panels(figure, portrait.picture, bottom)
        for index, line in enumerate(reversed(foot)):
            y = 0.03 + index * _LINE
            _text(figure, 0.02, y, line, fontsize=5.5, color=_GREY, va="bottom")
        return figure


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Any:
    """Axes at a place in inches."""
    across, up = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / up, width / across, height / up))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_color(_GREY)
    return axes


def _text(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    across, up = figure.get_size_inches()
    figure.text(x / across, y / up, text, **{"color": _INK, "va": "top", **style})


def _column(index: int) -> float:
    return _LEFT + index * (_PANEL + _GAP)


def _head(figure: Figure, explanation: Explanation, height: float) -> None:
    label = shown(explanation.fact.label, 60)
    _text(figure, 0.02, height - 0.06, label, fontsize=9, fontweight="bold")
    for index, title in enumerate(("image", "increase", "decrease")):
        _text(figure, _column(index), height - _TOP + 0.14, title, fontsize=7.5)
    unit = {"ha": "right", "va": "bottom", "fontsize": 5.8, "color": _GREY}
    _text(
        figure, _WIDTH - 0.02, height - _TOP + 0.04, f"{_UNITS[explanation.of]}\nper cell", **unit
    )


def _words(figure: Figure, portrait: Portrait, answer_id: int, bottom: float) -> None:
    fact = portrait.facts[answer_id]
    top = bottom + _PANEL
    _text(figure, 0.02, top, portrait.role, fontsize=6.5, color=_GREY)
    _text(figure, 0.02, top - 0.13, shown(portrait.iauname, 22), fontsize=8, fontweight="bold")
    lines = _fact_lines(fact)
    if (outside := outside_votes(portrait, fact.question)) > ROUNDING_VOTES:
        lines.insert(1, ("outside tree", f"{votes(outside)} votes"))
    if portrait.similarity is not None:
        lines.append(("similarity", f"{_number(portrait.similarity)} nat"))
    for index, (name, value) in enumerate(lines):
        y = top - 0.36 - 0.125 * index
        _text(figure, 0.02, y, name, color=_GREY, fontsize=6.5)
        _text(figure, 0.68, y, value, fontsize=6.5)


def _fact_lines(fact: AnswerFacts) -> list[tuple[str, str]]:
    """What is known of an answer from votes and model, as names and values."""
    if fact.observed is None:
        nobody = "no votes" if fact.total is None else "nobody was asked"
        lines = [("observed", "asked otherwise" if fact.total else nobody)]
    else:
        given = f"{votes(fact.count)} of {votes(fact.total)}"
        lines = [("observed", f"{fact.observed:.2f}  ({given})")]
    predicted = "none" if fact.predicted is None else f"{fact.predicted:.2f}"
    if fact.lo is not None and fact.hi is not None:
        predicted += f"  [{fact.lo:.2f}, {fact.hi:.2f}]"
    lines.append(("predicted", predicted))
    if fact.ce is not None:
        lines.append(("loss", f"{fact.ce:.2f} nat"))
    return lines


def _panels(figure: Figure, picture: Picture, bottom: float) -> None:
    reach = float(np.abs(picture.mean).max()) or 1.0
    norm = TwoSlopeNorm(0, -reach, reach)
    image = _axes(figure, _column(0), bottom, _PANEL, _PANEL)
    image.imshow(picture.pixels, interpolation="lanczos")
    _outline(image, picture, "#8ff0df")
    size = picture.pixels.shape[0]
    fine = upsample(picture.mean, size)
    for index, part in enumerate((np.clip(fine, 0, None), np.clip(fine, None, 0)), start=1):
        panel = _axes(figure, _column(index), bottom, _PANEL, _PANEL)
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
    panel.plot(x, y, ".", color=_INK, markersize=1.6, markeredgewidth=0)


def _sum(panel: Any, picture: Picture, sign: int) -> None:
    total = np.clip(sign * picture.mean, 0, None).sum() * sign
    words = f"sum {_number(total, signed=True)}"
    if sign > 0 and picture.on_target is not None:
        words += f", {picture.on_target:.0%} on the galaxy"
    below = {"transform": panel.transAxes, "va": "top"}
    panel.text(0, -0.03, words, fontsize=5.8, color=_GREY, **below)


def _bar(figure: Figure, norm: Normalize, bottom: float) -> None:
    axes = _axes(figure, _column(3), bottom, _BAR, _PANEL)
    bar = figure.colorbar(
        ScalarMappable(norm, COLOURS),
        cax=axes,
        ticks=MaxNLocator(4, steps=[1, 2, 5, 10], symmetric=True),
        format=lambda value, _: f"{value:+g}".replace("-", _MINUS) if value else "0",
    )
    bar.ax.tick_params(labelsize=5.5, length=1.5, width=0.4, pad=1.5, labelcolor=_INK)
    bar.outline.set_linewidth(0.4)


def _absent(figure: Figure, why: str, bottom: float) -> None:
    width = 3 * _PANEL + 2 * _GAP
    panel = _axes(figure, _column(0), bottom, width, _PANEL)
    panel.set_facecolor("#f3f3f3")
    words = textwrap.fill(shown(why, 400), 75)
    panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", va="center", color=_GREY)


def votes(count: float | None) -> str:
    """A number of votes in words: whole ones without decimals, weighted ones with one."""
    return "0" if count is None else f"{count:.1f}".removesuffix(".0")


def _number(value: float, *, signed: bool = False) -> str:
    """Three digits, with a true minus sign."""
    text = f"{value:+#.3g}" if signed else f"{value:#.3g}"
    return text.removesuffix(".").replace("-", _MINUS)
