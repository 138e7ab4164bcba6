"""The gallery of the worst galaxies of a survey, or of one catalogue."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.gallery.images import Drawn
from zoolens.catalog.release.gallery.page import GalleryReport, draw_rows, write_gallery
from zoolens.catalog.release.gallery.rows import Rows, read_worst, shown_rows
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.similarity.files import KINDS, load_index
from zoolens.catalog.similarity.found import Counterparts
from zoolens.catalog.store.facts import AnswerFacts, facts_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.best_counterparts import best_counterparts


class Ranked(NamedTuple):
    """A galaxy of `read_worst`, and its catalogue."""

    path: Path
    row: dict[str, Any]


def ranked_of(
    store: Store,
    before: Sequence[Ranked],
    limit: int,
    min_votes: float | None,
    among: Ids | None,
) -> list[Ranked]:
    """The `limit` worst galaxies of those before and those of a catalogue, equals by name.

    min_votes, among: as of `read_worst`.
    """
    here = [Ranked(store.path, row) for row in read_worst(store, limit, min_votes, among)]
    every = sorted([*before, *here], key=lambda one: (-one.row["weighted_ce"], one.row["iauname"]))
    return every[:limit]


def draw_gallery(
    paths: Sequence[Path],
    ranked: Sequence[Ranked],
    folder: Path,
    *,
    tree: DecisionTree,
    min_votes: float | None,
    title: str,
) -> GalleryReport:
    """Write `index.html` and `images/` of galaxies, worst first, into a folder.

    paths: the catalogues in which counterparts are sought; min_votes: of `read_worst`, and of
    counterparts. If image, map or counterparts of a galaxy are missing, the page says so. The same
    catalogues give the same bytes. Raises `CatalogError` if files cannot be written.
    """
    where = {one.row["galaxy_id"]: one.path for one in ranked}
    found = _counterparts(paths, ranked, where, min_votes)
    shown = {one.row["galaxy_id"] for one in ranked}
    shown |= {one.galaxy_id for both in found for one in (*both.observed, *both.predicted)}
    facts: dict[int, Sequence[AnswerFacts]] = {}
    for path in paths:
        some = sorted(number for number in shown if where[number] == path)
        if some:
            with Store.open(path, read_only=True) as store:
                runs = {f"{job}_run": store.newest_run(job) for job in ("predict", "score")}
                facts |= facts_of(store, some, **runs)
    rows = shown_rows(tree, [one.row for one in ranked], found, facts)
    make_folder(folder / "images")
    drawn: dict[int, Drawn] = {}
    for path in paths:
        own = [row for row in rows if where[row.galaxy_id] == path]
        part = Rows(own, {number: facts[number] for number in facts if where[number] == path})
        if part.facts:
            with Store.open(path, read_only=True) as store:
                drawn |= draw_rows(store, part, folder / "images")
    return write_gallery(
        folder, Rows(rows, facts), drawn, tree=tree, min_votes=min_votes, title=title
    )


def _counterparts(
    paths: Sequence[Path],
    ranked: Sequence[Ranked],
    where: dict[int, Path],
    min_votes: float | None,
) -> list[Counterparts]:
    """The counterparts of each galaxy, or why there are none; where: gets the catalogue of each."""
    if not ranked:
        return []
    for path in paths:
        with Store.open(path, read_only=True) as store:
            try:
                for kind in KINDS:
                    load_index(store, kind)
            except CatalogError:
                why = "The catalogue had no similarity index of its votes and predictions to find "
                return [Counterparts([], [], notes=(f"{why}them.",))] * len(ranked)
    ids, answers = (
        np.array([one.row[name] for one in ranked], np.int64) for name in ("galaxy_id", "answer_id")
    )
    best = best_counterparts(paths, where, ids, answers, min_votes)
    where |= best.where
    return best.described()
