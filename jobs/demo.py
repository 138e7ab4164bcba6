"""`demo`: the whole way on a simulated sky, and a page of all that was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from zoolens.catalog import paths
from zoolens.catalog.evaluation.truth import judge
from zoolens.catalog.output.html import Section, Shown, write_report
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store
from zoolens.jobs.evaluate import EvaluateReport, evaluate
from zoolens.jobs.explain import ExplainReport
from zoolens.jobs.explain_survey import explain_one
from zoolens.jobs.histogram import HistogramReport, histogram
from zoolens.jobs.index import index
from zoolens.jobs.ingest import ingest
from zoolens.jobs.pipeline import Say, release, silently
from zoolens.jobs.predict import predict
from zoolens.jobs.reports import Brief
from zoolens.jobs.score import score
from zoolens.jobs.settings import Cut, Which
from zoolens.jobs.simulate import TRUTH, VOTES, simulate

_SEED = 2026  # not the sky that the model was trained on
_WORST = 10
_MAPS, _TYPICAL, _GALLERY = 100, 8, 50  # galaxies: in the tests of maps, and on the page to browse
_LEAD = (
    "A simulated sky, its volunteers, and a model that has seen neither: every image, vote and "
    "cause is known, so that the catalogue's answers can be held against the truth."
)
_FOOT = "The same commands work on a published vote table, its images and a Zoobot checkpoint."


@dataclass(frozen=True)
class DemoReport:
    """What a demo made and found.

    worst: the ranking beside the truth (`catalog.evaluation.truth`); known: how many of those
    galaxies owe their place to votes that the truth contradicts; page: where all is.
    """

    catalog: Path
    release: Path
    worst: pa.Table
    known: int
    page: Path


def demo(out: Path, *, galaxies: int = 200, say: Say = silently) -> DemoReport:
    """Simulate a sky of so many galaxies into the folder `out`, and do all that can be done.

    What was done before is left as it is. Raises `CatalogError` if the folder holds
    something else.
    """
    sky, catalog, folder = out / "sky", out / paths.CATALOG_DEFAULT, out / "release"
    made = simulate(sky, galaxies=galaxies, seed=_SEED)
    say(Brief(made, f"{galaxies:,} galaxies, {made.votes:,} votes"))
    held = ingest(catalog, sky / VOTES)
    say(Brief(held, f"{held.images:,} galaxies with images"))
    done = predict(catalog, paths.BUNDLED_MODEL.stem)
    say(Brief(done, f"{done.total:,} galaxies"))
    say(score(catalog))
    say(index(catalog))
    shown = explain_one(catalog, Which(worst=3, min_votes=FEWEST_VOTES), of="fraction")
    say(Brief(shown, f"{shown.total:,} galaxies"))
    drawn = histogram(catalog, out / "histograms")
    judged = evaluate(catalog, truth=sky / TRUTH, maps=_MAPS, typical=_TYPICAL)
    say(Brief(judged, f"{len(judged.measures):,} measured values"))
    if not folder.exists():
        every = explain_one(catalog, Which(everything=True), of="fraction", figures=False)
        say(Brief(every, f"{every.total:,} galaxies"))
        wanted = Cut(min_votes=FEWEST_VOTES, gallery=_GALLERY)
        cut = release(catalog, folder, Title("A simulated sky", "1.0"), wanted)
        say(Brief(cut, cut.summary))
    with Store.open(catalog, read_only=True) as store:
        worst = judge(store, sky / TRUTH, limit=_WORST, min_votes=FEWEST_VOTES)
    known = worst["nearer"].to_pylist().count("model")
    page = out / "index.html"
    sections = _sections(worst, known, shown, judged, drawn)
    write_report(page, "A simulated Galaxy Zoo, explained", _LEAD, sections, _FOOT)
    return DemoReport(catalog, folder, worst, known, page)


def _sections(
    worst: pa.Table,
    known: int,
    explained: ExplainReport,
    evaluated: EvaluateReport,
    drawn: HistogramReport,
) -> list[Section]:
    """Ranking, explanations, evaluation and histograms, as sections of the page."""
    return [
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
            figures=_pictures(explained.figures),
            links=[("Their votes and predictions, answer by answer", explained.page)]
            if explained.page
            else [],
        ),
        evaluated.section,
        Section(
            "How votes are distributed",
            ["Answers whose fractions spread evenly deserve weight in the ranking."],
            figures=_pictures(drawn.figures),
        ),
    ]


def _pictures(files: Sequence[Path]) -> list[Shown]:
    return [
        Shown(file, "", file.stem.replace("_", ": ", 1)) for file in files if file.suffix == ".png"
    ]
