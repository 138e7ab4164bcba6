"""An evaluation as a section of a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from catalog import evaluation_figures as drawing
from catalog.evaluation_tables import same_maps
from catalog.figures import save
from catalog.measures import Measure
from catalog.pages import Section, Shown
from catalog.whole_files import make_folder

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


def evaluation_section(
    folder: Path, measures: Sequence[Measure], tables: Mapping[str, pa.Table], galaxies: int
) -> Section:
    """Tables and figures of an evaluation of so many galaxies, drawn into a folder.

    Raises `CatalogError` where that cannot be made or written to.
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
    return Section(
        TITLE,
        words,
        list(tables.items()),
        shown,
    )
