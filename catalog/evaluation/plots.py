"""How measures are drawn: curves with bands, dots with bars, one look per method."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib import rc_context
from matplotlib.figure import Figure

from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.output.figures import shown

Places = Sequence[float] | npt.NDArray[np.float64]
Look = tuple[str, str]  # colour and marker

# Okabe & Ito's colours, distinct for every kind of colour vision; markers for print in grey
GREY, PALE = "#595959", "#a8a8a8"
BLUE, RED = ("#0072b2", "o"), ("#d55e00", "s")
_LOOKS = {
    "deeplift": ("#000000", "*"),
    "hirescam, fraction": ("#cc79a7", "^"),
    "hirescam": BLUE,
    "gradcam": RED,
    "input gradient": ("#009e73", "D"),
    "random": ("#7f7f7f", "x"),
    "centre": ("#b0b0b0", "+"),
}
_OTHER_LOOKS = (("#e69f00", "v"), ("#56b4e9", "P"), ("#f0e442", "p"))
NARROW, WIDE = 3.4, 7.1  # inch: a column of a page, and its text
ROW = 0.2  # inch per name
LONGEST = 40  # characters of a name
_ENTRY = 1.0  # inch: a name in a legend, with its marker

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.width": 0.4,
    "xtick.minor.size": 1.5,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "lines.markeredgewidth": 0.8,
    "text.parse_math": False,  # a name may hold any character
    "text.usetex": False,
}


@contextmanager
def drawn(width: float, height: float) -> Iterator[Figure]:
    """A figure to be drawn upon, whose numbers are made before its style is gone."""
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a foreign script
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        figure.draw_without_rendering()


def known(measures: Sequence[Measure], *names: str) -> list[Measure]:
    """The measures with one of these names that have a value."""
    return [m for m in measures if m.measure in names and np.isfinite(m.value)]


def levelled(measures: Sequence[Measure], *names: str) -> list[Measure]:
    """The measures with one of these names that are points of curves, in order of level."""
    curves = [m for m in known(measures, *names) if m.level is not None]
    return sorted(curves, key=lambda m: m.level or 0.0)


def grouped(
    measures: Sequence[Measure], key: Callable[[Measure], str | None]
) -> dict[str | None, list[Measure]]:
    """Curves by what they show."""
    groups: dict[str | None, list[Measure]] = {}
    for m in measures:
        groups.setdefault(key(m), []).append(m)
    return groups


def looks(measures: Sequence[Measure]) -> dict[str | None, Look]:
    """Colour and marker of each method, always the same for those that are known."""
    present = list(dict.fromkeys(m.method for m in measures))
    others = [method for method in present if method not in _LOOKS]
    found: dict[str | None, Look] = {m: look for m, look in _LOOKS.items() if m in present}
    return found | {m: _OTHER_LOOKS[i % len(_OTHER_LOOKS)] for i, m in enumerate(others)}


def points(line: Sequence[Measure]) -> tuple[list[float], list[float]]:
    """Levels and values."""
    return [m.level or 0.0 for m in line], [m.value for m in line]


def _interval(m: Measure) -> tuple[float, float]:
    return (m.value if m.lo is None else m.lo, m.value if m.hi is None else m.hi)


def curve(axes: Any, line: Sequence[Measure], look: Look, name: str | None) -> None:
    """Values against their levels, with a band."""
    colour, marker = look
    levels, values = points(line)
    lo, hi = zip(*map(_interval, line), strict=True)
    axes.fill_between(levels, lo, hi, color=colour, alpha=0.18, lw=0)
    dashed = "--" if marker in "x+" else "-"
    label = shown(str(name), LONGEST)
    axes.plot(levels, values, color=colour, marker=marker, ls=dashed, label=label)


def bars(
    axes: Any,
    measures: Sequence[Measure],
    places: Places,
    look: Look,
    name: str | None,
    *,
    across: bool = False,
    floor: float = -np.inf,
) -> None:
    """Values with bars at places up the y axis, or across the x axis."""
    if not measures:
        return
    colour, marker = look
    ends = np.array([(*_interval(m), m.value) for m in measures])
    lo, hi, values = np.maximum(ends, floor).T
    label = None if name is None else shown(name, LONGEST)
    style = {"color": colour, "lw": 0.9, "zorder": 2}
    (axes.vlines if across else axes.hlines)(places, lo, hi, **style)
    x, y = (places, values) if across else (values, places)
    axes.plot(x, y, color=colour, marker=marker, ls="", label=label, zorder=3)


def chances(panel: Any, measures: Sequence[Measure], places: Places) -> None:
    """A tick at the value that is reached by chance."""
    ticks = [(m.chance, y) for m, y in zip(measures, places, strict=True) if m.chance is not None]
    if ticks:
        panel.plot(*zip(*ticks, strict=True), "|", color=GREY, ms=5, zorder=1, label="chance")


def rows(panel: Any, names: Sequence[str | None]) -> None:
    """One name per row, the first on top."""
    panel.set_yticks(range(len(names)), [shown(str(name), LONGEST) for name in names])
    panel.set_ylim(len(names) - 0.5, -0.5)


def legend(figure: Figure, axes: Sequence[Any]) -> None:
    """One legend above all panels, each name once."""
    entries: dict[str, Any] = {}
    for panel in axes:
        for line, name in zip(*panel.get_legend_handles_labels(), strict=True):
            entries.setdefault(name, line)
    if "chance" in entries:
        entries["chance"] = entries.pop("chance")  # last
    lines = math.ceil(len(entries) * _ENTRY / figure.get_figwidth())
    columns = math.ceil(len(entries) / max(lines, 1))
    figure.legend(
        entries.values(), entries.keys(), loc="outside upper center", ncols=max(1, columns)
    )
