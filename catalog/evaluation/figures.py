"""The figures of an evaluation: calibration, errors, and tests of the maps.

Drawn from the measures alone. Each function returns None where nothing that it shows
was measured. Bars and bands are the 95 % intervals of the measures.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.plots import (
    BLUE,
    GREY,
    NARROW,
    PALE,
    RED,
    ROW,
    WIDE,
    bars,
    chances,
    curve,
    drawn,
    grouped,
    known,
    legend,
    levelled,
    looks,
    points,
    rows,
)
from zoolens.catalog.output.figures import shown

_LOCALISED = ("inside over area", "pointing game")
_NEAR = 0.02  # lines closer to the diagonal are not named
_FAINT = 0.1  # times chance, at the left edge: smaller values are drawn there


def coverage_figure(measures: Sequence[Measure]) -> Figure | None:
    """Observed against nominal coverage: of all answers, and thin lines of the questions.

    The questions that are furthest from the diagonal on either side are named.
    """
    lines = grouped(levelled(measures, "coverage"), lambda m: m.question)
    if not lines:
        return None
    low = min(0.45, *(m.value - 0.03 for line in lines.values() for m in line))
    with drawn(NARROW, NARROW) as figure:
        axes = figure.add_subplot()
        for edge, shade in ((1, "#f5f5f5"), (low, "#e9e9e9")):
            axes.fill_between([low, 1], [low, 1], edge, color=shade, lw=0)
        axes.plot([low, 1], [low, 1], color=GREY, lw=0.7, ls=(0, (4, 3)))
        inside: Any = {"transform": axes.transAxes, "color": GREY}
        axes.text(0.03, 0.97, "underconfident:\nintervals too wide", va="top", **inside)
        axes.text(0.97, 0.03, "overconfident:\nintervals too narrow", ha="right", **inside)
        questions = {name: line for name, line in lines.items() if name}
        for line in questions.values():
            axes.plot(*points(line), color=PALE, lw=0.6, label="a question")
        if None in lines:
            curve(axes, lines[None], BLUE, "all answers")
        _name_furthest(axes, list(questions.values()))
        axes.set(xlim=(low, 1), ylim=(low, 1), aspect="equal")
        axes.set(xlabel="nominal share inside the interval", ylabel="observed share inside")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0))
        legend(figure, [axes])
    return figure


def errors_figure(measures: Sequence[Measure]) -> Figure | None:
    """Mean absolute error and accuracy where confident, question by question.

    Against the votes and, of a simulation, against the truth. The grey marks are what
    is reached without looking at the image: the mean fraction, the most frequent answer.
    """
    panels = {
        "mean absolute error": "mean absolute error of fractions",
        "accuracy, confident": "accuracy where volunteers are confident",
    }
    names = {name: f"{name} against the truth" for name in panels} | {
        "accuracy, confident": "accuracy against the truth, confident"
    }
    about = [m for m in known(measures, *names, *names.values()) if m.question]
    questions = list(dict.fromkeys(m.question for m in about))
    if not questions:
        return None
    with drawn(WIDE, 0.9 + ROW * len(questions)) as figure:
        axes = figure.subplots(1, 2, sharey=True)
        for panel, (name, title) in zip(axes, panels.items(), strict=True):
            for step, wanted, look, of in (
                (-0.16, name, BLUE, "against the votes"),
                (0.16, names[name], RED, "against the truth"),
            ):
                mine = [m for m in about if m.measure == wanted]
                places = np.array([questions.index(m.question) for m in mine]) + step
                bars(panel, mine, places, look, of)
                chances(panel, mine, places)
            panel.set_xlabel(title)
        axes[0].set_xlim(left=0)
        axes[1].set_xlim(right=1.01)
        rows(axes[0], questions)
        legend(figure, axes)
    return figure


def localisation_figure(measures: Sequence[Measure]) -> Figure | None:
    """Whether maps point at the cause, answer by answer and method by method.

    Left, the share of positive saliency inside the feature's mask over the mask's area,
    1 by chance; a point on the left edge stands for a tenth of that or less. Right, the
    pointing game; its chance is the mask's area.
    """
    mine = [m for m in known(measures, *_LOCALISED) if m.label]
    labels = list(dict.fromkeys(m.label for m in mine))
    look_of = looks(mine)
    if not labels:
        return None
    with drawn(WIDE, 0.9 + max(ROW, 0.075 * len(look_of) + 0.08) * len(labels)) as figure:
        axes = figure.subplots(1, 2, sharey=True)
        steps = np.linspace(-0.5, 0.5, len(look_of) + 2)[1:-1]
        for (method, look), step in zip(look_of.items(), steps, strict=True):
            for panel, name, floor in zip(axes, _LOCALISED, (_FAINT, 0), strict=True):
                chosen = [m for m in mine if m.measure == name and m.method == method]
                places = np.array([labels.index(m.label) for m in chosen]) + step
                bars(panel, chosen, places, look, method, floor=floor)
            chances(axes[1], chosen, places)
        _log_axis(axes[0])
        axes[0].set_xlabel("positive saliency on the cause, over chance")
        axes[1].set_xlabel("largest value on the cause (pointing game)")
        axes[1].set_xlim(-0.02, 1.02)
        axes[1].xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        rows(axes[0], labels)
        legend(figure, axes)
    return figure


def sanity_figure(measures: Sequence[Measure]) -> Figure | None:
    """How alike maps remain as the network's weights are randomised, stage by stage.

    A method whose line stays high does not depend on what the network has learnt. Separately at
    the right: the same with a network trained on shuffled votes.
    """
    stages = levelled(measures, "rank correlation")
    shuffled = known(measures, "rank correlation, shuffled votes")
    if not stages and not shuffled:
        return None
    look_of = looks(stages + shuffled)
    last = int(max((m.level for m in stages if m.level is not None), default=0))
    with drawn(0.7 * WIDE, 2.6) as figure:
        axes = figure.add_subplot()
        for method, line in grouped(stages, lambda m: m.method).items():
            curve(axes, line, look_of[method], method)
        for index, m in enumerate(shuffled):
            place = last + 1.2 + 0.15 * (index - (len(shuffled) - 1) / 2)
            named = None if any(s.method == m.method for s in stages) else m.method
            bars(axes, [m], [place], look_of[m.method], named, across=True)
        axes.axhline(0, color=GREY, lw=0.6, ls=(0, (4, 3)))
        ticks: dict[float, str] = {stage: str(stage) for stage in range(last + 1)} if stages else {}
        if stages:
            ticks[0] = "0\nuntouched"
        if shuffled:
            ticks[last + 1.2] = "shuffled\nvotes"
            axes.axvline(last + 0.6, color=PALE, lw=0.5)
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.set(xlabel="parts of the network drawn anew, from the head to the input")
        axes.set(ylabel="rank correlation with the\nuntouched network's map")
        axes.set_ylim(top=1.05)
        legend(figure, [axes])
    return figure


def faithfulness_figure(measures: Sequence[Measure]) -> Figure | None:
    """How the prediction changes as pixels are removed, or only they are kept, by method.

    Pixels in the order of each map, the most important first: after deletion a faithful
    map's curve falls fast, in insertion it comes near 0 fast.
    """
    panels = {
        "deletion": ("deletion: lower is better", "share of pixels taken away"),
        "insertion": ("insertion: higher is better", "share of pixels kept"),
    }
    mine = levelled(measures, *panels)
    if not mine:
        return None
    look_of = looks(mine)
    with drawn(WIDE, 2.7) as figure:
        axes = figure.subplots(1, 2, sharey=True)
        for panel, (name, (title, words)) in zip(axes, panels.items(), strict=True):
            chosen = [m for m in mine if m.measure == name]
            for method, line in grouped(chosen, lambda m: m.method).items():
                curve(panel, line, look_of[method], method)
            panel.axhline(0, color=GREY, lw=0.6, ls=(0, (4, 3)))
            panel.set_title(title, loc="left")
            panel.set(xlabel=words, xlim=(-0.01, 1.01))
            panel.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes[0].set_ylabel("change of the\npredicted fraction")
        legend(figure, axes)
    return figure


def _name_furthest(axes: Any, questions: Sequence[Sequence[Measure]]) -> None:
    """Name the lines furthest above and furthest below the diagonal, if there are such."""

    def far(line: Sequence[Measure]) -> float:
        return max(sign * (m.value - (m.level or 0.0)) for m in line)

    for sign, across, up, longest in ((1, "right", "bottom", 34), (-1, "left", "top", 18)):
        line = max(questions, key=far, default=())
        if not line or far(line) < _NEAR:
            continue
        # at 80 %, where there is room beside the lines, of which less to the right
        m = line[min(1, len(line) - 1)]
        place = {"xy": (m.level, m.value), "xytext": (-3 * sign, 2 * sign), "ha": across, "va": up}
        name = shown(str(m.question), longest)
        axes.annotate(name, **place, textcoords="offset points", color=GREY, fontsize=6)


def _log_axis(panel: Any) -> None:
    """Times chance, in powers and halves of ten, with a line at chance."""
    panel.set_xscale("log")
    panel.set_xlim(left=_FAINT)
    panel.axvline(1, color=GREY, lw=0.6, ls=(0, (4, 3)), zorder=1)
    panel.xaxis.set_major_locator(LogLocator(10, (1, 2, 5)))
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    panel.xaxis.set_minor_formatter(NullFormatter())
