"""The results of an evaluation for people: tables and a section of a page.

There is one table per topic, narrow enough for a terminal.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation import figures as drawing
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.neighbours import TOPIC as NEIGHBOURS
from zoolens.catalog.evaluation.ranks import MEASURE
from zoolens.catalog.evaluation.ranks import TOPIC as CORRELATION
from zoolens.catalog.output.figures import save
from zoolens.catalog.output.html import Section, Shown
from zoolens.catalog.runtime.files import make_folder

TITLE = "How far can it be trusted?"
LEAD = (
    "Predictions against votes and, where it is known, the truth; explanations against the "
    "pixels that are the cause, against randomised models, and against what happens when the "
    "pixels they point at are taken away. Brackets hold 95 % intervals, by bootstrap over galaxies."
)
_SAME = (
    "HiResCAM and GradCAM give the same maps of this model: only a mean over pixels and a linear "
    "head follow the explained layer, so that gradients are the same at every pixel (Draelos & "
    "Carin 2021). Neither can beat the other."
)
_FIGURES = {
    "coverage": (
        drawing.coverage_figure,
        "Do the intervals hold what they promise? Share of observed counts inside the central "
        "intervals of the posterior predictive.",
    ),
    "errors": (
        drawing.errors_figure,
        "How far are predicted fractions from the votes and the truth, question by question? "
        "And how often is the answer right where volunteers are confident?",
    ),
    "localisation": (
        drawing.localisation_figure,
        "Where did the network look? Positive saliency on the feature that is the cause, "
        "against the feature's share of the image.",
    ),
    "sanity": (
        drawing.sanity_figure,
        "Do maps change when the model does? Rank correlation with the untouched model's maps "
        "as more and more of its weights are drawn at random.",
    ),
    "faithfulness": (
        drawing.faithfulness_figure,
        "Does the prediction change when the pixels that a map points at are taken away, or "
        "alone are kept?",
    ),
}
# Columns of the table of questions, and the measures they show.
_QUESTION_COLUMNS = {
    "reach": "reach",
    "asked": "reach of the votes",
    "error": "mean absolute error",
    "of mean": "mean absolute error",
    "to truth": "mean absolute error against the truth",
    "nll": "negative log likelihood",
    "accuracy": "accuracy, confident",
    "true accuracy": "accuracy against the truth, confident",
}
_METHOD_ORDER = (
    "deeplift",
    "hirescam, fraction",
    "hirescam",
    "gradcam",
    "input gradient",
    "centre",
    "random",
)

Row = dict[str, object]


def evaluation_section(
    folder: Path, measures: Sequence[Measure], tables: Mapping[str, pa.Table], galaxies: int
) -> Section:
    """Tables and figures of an evaluation of so many galaxies; figures are written to a folder.

    Raises `CatalogError` if the folder cannot be created or written to.
    """
    make_folder(folder)
    shown = []
    for name, (draw, caption) in _FIGURES.items():
        figure = draw(measures)
        if figure is not None:
            png, _ = save(figure, folder / name)
            shown.append(Shown(png, caption, caption.split(".")[0]))
    words = [f"Measured on {galaxies:,} galaxies; n is how many a value rests on."]
    if same_maps(measures):
        words.append(_SAME)
    return Section(TITLE, words, list(tables.items()), shown)


def evaluation_tables(measures: Sequence[Measure], tree: DecisionTree) -> dict[str, pa.Table]:
    """Tables of the measures by title; topics that were not measured are left out."""
    tables = {
        "Vote fractions, question by question": _questions(measures, tree),
        "Coverage of the posterior predictive intervals": _coverage(measures),
        "Spearman's rank correlation of fractions: of all asked, and where half were asked": (
            _correlations(measures)
        ),
        "Does positive saliency lie on the cause? Share inside over area, chance 1": _localised(
            measures, "inside over area"
        ),
        "Pointing game: does the largest value lie on the cause?": _localised(
            measures, "pointing game"
        ),
        "Sanity, faithfulness and stability of the maps": _methods(measures),
        "Warnings: area under the ROC curve for a wrong prediction, chance 0.5": _warnings(
            measures
        ),
        "Neighbours: do shares by segments tell maps of which a fifth lies on true ones?": _beside(
            measures
        ),
    }
    return {title: pa.Table.from_pylist(rows) for title, rows in tables.items() if rows}


def with_interval(measure: Measure) -> str:
    """A value with its 95 % interval, to two digits."""
    if measure.lo is None or measure.hi is None:
        return _short(measure.value)
    return f"{_short(measure.value)} [{_short(measure.lo)}, {_short(measure.hi)}]"


def same_maps(measures: Sequence[Measure]) -> bool:
    """Whether GradCAM's maps measure the same as HiResCAM's: one column then shows both."""
    own, averaged = (
        {(m.measure, m.label): m.value for m in measures if m.method == method and m.label}
        for method in ("hirescam", "gradcam")
    )
    return (
        bool(own)
        and own.keys() == averaged.keys()
        and all(math.isclose(value, averaged[about], abs_tol=1e-6) for about, value in own.items())
    )


def _short(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"


def _questions(measures: Sequence[Measure], tree: DecisionTree) -> list[Row]:
    rows = []
    for question in tree.questions:
        mine = {m.measure: m for m in measures if m.question == question.name and m.level is None}
        row: Row = {"question": question.name}
        for column, name in _QUESTION_COLUMNS.items():
            found = mine.get(name)
            row[column] = found and (found.chance if column == "of mean" else found.value)
        if any(value is not None for value in list(row.values())[1:]):
            rows.append(row)
    present = [
        c for c in ("question", *_QUESTION_COLUMNS) if any(row[c] is not None for row in rows)
    ]
    return [{column: row[column] for column in present} for row in rows]


def _coverage(measures: Sequence[Measure]) -> list[Row]:
    return [
        {
            "interval": f"{m.level:.0%}",
            "holds": with_interval(m),
            "n": m.galaxies,
            **({"of": m.method} if m.method else {}),
        }
        for m in measures
        if m.measure == "coverage" and m.question is None and m.level is not None
    ]


def _correlations(measures: Sequence[Measure]) -> list[Row]:
    columns = {MEASURE: ("rho", "n"), f"{MEASURE}, relevant": ("rho, half asked", "of")}
    rows: dict[str, Row] = {}
    for m in measures:
        if m.topic == CORRELATION:
            empty = dict.fromkeys(name for names in columns.values() for name in names)
            row = rows.setdefault(str(m.label), {"answer": m.label, **empty})
            value, count = columns[m.measure]
            row |= {value: with_interval(m), count: m.galaxies}
    return list(rows.values())


def _localised(measures: Sequence[Measure], name: str) -> list[Row]:
    mine = [m for m in measures if m.measure == name]
    if same_maps(measures):
        mine = [m for m in mine if m.method != "gradcam"]
    methods = [method for method in _METHOD_ORDER if any(m.method == method for m in mine)]
    rows: dict[str, Row] = {}
    for measure in mine:
        empty: Row = {"answer": measure.label, "n": measure.galaxies}
        if measure.chance != 1:
            empty["chance"] = measure.chance
        row = rows.setdefault(str(measure.label), {**empty, **dict.fromkeys(methods)})
        row[str(measure.method)] = with_interval(measure)
    return list(rows.values())


def _methods(measures: Sequence[Measure]) -> list[Row]:
    """What is known of each method as a whole: no curve, no single answer."""
    mine = [m for m in measures if m.topic in ("sanity", "faithfulness", "stability")]
    last = {(m.measure, m.method): m for m in mine}  # of a curve, the last point
    rows: dict[str, Row] = {}
    methods = [method for method in _METHOD_ORDER if any(m.method == method for m in mine)]
    for (name, method), measure in last.items():
        if name in ("deletion", "insertion"):
            continue
        row = rows.setdefault(name, {"measure": name, **dict.fromkeys(methods)})
        row[str(method)] = with_interval(measure)
    return list(rows.values())


def _warnings(measures: Sequence[Measure]) -> list[Row]:
    return [
        {
            "warning": m.method,
            "answer": m.label or "all",
            "area under curve": with_interval(m),
            "n": m.galaxies,
        }
        for m in measures
        if m.topic == "warning"
    ]


def _beside(measures: Sequence[Measure]) -> list[Row]:
    mine = [m for m in measures if m.topic == NEIGHBOURS]
    rows: dict[str, Row] = {}
    for m in mine:
        row = rows.setdefault(
            str(m.method), {"share": m.method, **dict.fromkeys(x.measure for x in mine)}
        )
        row[m.measure] = with_interval(m)
    return list(rows.values())
