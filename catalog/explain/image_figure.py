"""The figure of one image that belongs to no catalogue: what speaks for its predictions."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from zoolens.catalog.explain.one_image import ImageExplained
from zoolens.catalog.explain.scale import FLOORS
from zoolens.catalog.explain.sheet import UNITS, WORDS, Marks, Row, sheet


def image_figure(
    name: str, explained: ImageExplained, answers: Sequence[int], provenance: str
) -> Figure:
    """One row per answer, as in `catalog.explain.figure`: image, increase map, decrease map.

    name: of the image; provenance: one line for the foot.
    """
    of = explained.of
    rows = [_row(explained, answer) for answer in answers]
    return sheet(name, WORDS[of], UNITS[of], rows, FLOORS[of], [provenance])


def _row(explained: ImageExplained, answer: int) -> Row:
    tree, summary = explained.tree, explained.summary
    question = tree.questions[tree.question_of[answer]]
    lo, hi, reach, fraction = (
        float(values[0, answer])
        for values in (summary.lo, summary.hi, summary.reach, summary.fraction)
    )
    facts = [
        ("predicted", f"{fraction:.2f}  [{lo:.2f}, {hi:.2f}]"),
        ("asked", f"{reach:.2f} of all"),
    ]
    chosen = tree.labels[answer].removeprefix(f"{question.name}_")
    marks = Marks(None, fraction, lo, hi)
    return Row(question.name, chosen, facts, explained.picture(answer), marks=marks)
