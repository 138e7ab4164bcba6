"""Figures of explanations, and a page that collects them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from zoolens.catalog.explain import figure as drawing
from zoolens.catalog.explain.choice import Subject
from zoolens.catalog.explain.model import ExplainedModel
from zoolens.catalog.explain.portraits import outside_votes, read_explanation, relevant_questions
from zoolens.catalog.explain.sheet import WORDS
from zoolens.catalog.explain.tables import save_tables
from zoolens.catalog.explain.wording import BASELINE, votes, votes_of, way
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.output.figures import save, shown
from zoolens.catalog.output.html import write_page
from zoolens.catalog.paths import explanation_page, explanation_stem
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.store.store import Run, Store


def draw(
    store: Store,
    run: Run,
    explained: ExplainedModel,
    reader: ImageReader,
    subjects: Sequence[Subject],
    of: Of,
    folder: Path,
) -> tuple[tuple[Path, ...], Path | None]:
    """Draw one figure per subject, with its tables, and a page of all; the figures and the page.

    run: an explain run of the model, that has the subjects' maps. Raises `CatalogError` if
    the folder or a file cannot be written.
    """
    if not subjects:
        return (), None
    make_folder(folder)
    provenance = explained.provenance(run, of)
    drawn: list[Path] = []
    sections = []
    with progress("drawing", len(subjects)) as bar:
        for subject in subjects:
            explanation = read_explanation(store, run, subject, explained, reader, of)
            stem = explanation_stem(explanation.selected.iauname, explanation.fact.label, of)
            figure = drawing.explanation_figure(explanation, provenance)
            files = save(figure, folder / stem)
            drawn += files
            questions = relevant_questions(explanation, store.tree)
            about = explanation_stem(explanation.selected.iauname, explanation.fact.label)
            tables = save_tables(explanation, questions, folder, about)
            sections.append(
                {
                    "explanation": explanation,
                    "questions": questions,
                    "tables": {
                        name: {kind: quote(file.name) for kind, file in kinds.items()}
                        for name, kinds in tables.items()
                    },
                    "png": quote(files[0].name),
                    "pdf": quote(files[1].name),
                }
            )
            bar.advance()
    page = explanation_page(folder)
    write_page(
        page,
        "explanations.html.jinja",
        sections=sections,
        what=WORDS[of],
        provenance=provenance,
        reference=explained.reference(of),
        baseline=BASELINE if any(map(_has_baseline, sections)) else "",
        filters={
            "shown": shown,
            "votes": votes,
            "votes_of": votes_of,
            "way": way,
            "fraction": _fraction,
            "outside": outside_votes,
        },
    )
    return tuple(drawn), page


def _has_baseline(section: Mapping[str, Any]) -> bool:
    pictures = [portrait.picture for portrait in section["explanation"].portraits]
    return any(picture is not None and picture.baseline is not None for picture in pictures)


def _fraction(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
