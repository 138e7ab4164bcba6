"""`demo`: all that was found on a simulated sky, on one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from zoolens.catalog.evaluation.truth import judge
from zoolens.catalog.output.html import Section, Shown, write_report
from zoolens.catalog.store.store import Store

_WORST = 10
_LEAD = (
    "A simulated sky, its volunteers, and a model that has seen neither: every image, vote and "
    "cause is known, so that the catalogue's answers can be held against the truth."
)
_FOOT = "The same commands work on a published vote table, its images and a Zoobot checkpoint."


@dataclass(frozen=True)
class DemoReport:
    """What a demo found.

    worst: the ranking beside the truth (`catalog.evaluation.truth`); known: how many of those
    galaxies owe their place to votes that the truth contradicts; page: where all is.
    """

    worst: pa.Table
    known: int
    page: Path


def report(
    catalog: Path,
    out: Path,
    *,
    truth: Path,
    explained: Sequence[Path],
    explanations: Path | None,
    histograms: Sequence[Path],
    evaluation: Section,
    min_votes: float = 0,
) -> DemoReport:
    """Write the page of a demo: ranking, explanations, histograms, evaluation.

    truth: of the sky; explained: figures of the worst galaxies, and explanations the
    page that tells more of them; histograms: figures of vote fractions.
    """
    with Store.open(catalog, read_only=True) as store:
        worst = judge(store, truth, limit=_WORST, min_votes=min_votes)
    known = worst["nearer"].to_pylist().count("model")
    sections = [
        Section(
            "Where volunteers and model disagree most",
            [
                f"Of the {len(worst)} galaxies with the largest losses, the truth is on the "
                f"model's side in {known} and on the volunteers' in {len(worst) - known}: "
                "“nearer” says whose fraction is nearer to the probability that the votes were "
                "drawn from, “errors” how many of the votes were given in error.",
            ],
            [("The worst, by weighted cross-entropy.", worst)],
        ),
        Section(
            "Which pixels are why",
            ["The three worst, each beside the galaxies that are its fair comparison."],
            figures=[Shown(file, "", _named(file)) for file in explained],
            links=[("Their votes and predictions, answer by answer", explanations)]
            if explanations
            else [],
        ),
        evaluation,
        Section(
            "How votes are distributed",
            ["Answers whose fractions spread evenly deserve weight in the ranking."],
            figures=[Shown(file, "", _named(file)) for file in histograms],
        ),
    ]
    page = out / "index.html"
    write_report(page, "A simulated Galaxy Zoo, explained", _LEAD, sections, _FOOT)
    return DemoReport(worst, known, page)


def _named(file: Path) -> str:
    return file.stem.replace("_", ": ", 1)
