"""`select`: galaxies that deserve more votes, ready to be uploaded to the Zooniverse."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, UnknownName, nearest
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.paths import manifest_path
from zoolens.catalog.runtime.files import replacing_folder
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.selection.acquisition import read_scores
from zoolens.catalog.selection.choosing import Pick, choose, read_quotas
from zoolens.catalog.selection.manifest import (
    Entry,
    PickedImage,
    write_image,
    write_manifest,
    write_refused,
)
from zoolens.catalog.store.galaxies import image_facts
from zoolens.catalog.store.matrices import question_totals
from zoolens.catalog.store.outdated import warn_of
from zoolens.catalog.store.own_rows import own_columns, read_own
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.store.store import Store

_FRUITLESS = 1000  # refused in a row from the first; then the images must have been moved


@dataclass(frozen=True)
class SelectReport:
    """What was selected.

    manifest: the file; budget: galaxies asked for; selected: those there are; quotas: of
    each question with a quota those that fill it, and the quota; without_image: galaxies
    with a score that have no image; refused: images that could not be read or have
    changed, which `refused.csv` beside the manifest lists.
    """

    job: ClassVar[str] = "select"
    run_id: ClassVar[int | None] = None
    changed: ClassVar[bool] = True
    notes: ClassVar[tuple[str, ...]] = ()
    manifest: Path
    budget: int
    selected: int
    quotas: Mapping[str, tuple[int, int]]
    without_image: int
    refused: int

    @property
    def summary(self) -> str:
        of = f" of {self.budget:,}, there are no more" if self.selected < self.budget else ""
        parts = [f"{self.selected:,} galaxies{of}"]
        parts += [
            f"{filled:,} for {question}" + (f" of {quota:,}" if filled < quota else "")
            for question, (filled, quota) in self.quotas.items()
        ]
        if self.without_image:
            parts.append(f"{self.without_image:,} left out for want of an image")
        if self.refused:
            parts.append(f"{self.refused:,} images refused, see refused.csv")
        return "; ".join(parts)


def select(
    catalog: Path,
    out: Path,
    budget: int,
    *,
    by: str = "mutual_information",
    quotas: Sequence[str] = (),
    min_votes: float = 0,
    max_votes: float | None = None,
    where: str | None = None,
    columns: Sequence[str] = (),
) -> SelectReport:
    """Select at most `budget` galaxies; write their images and `manifest.csv` into `out`.

    by, min_votes, max_votes, where: `catalog.selection.acquisition.read_scores`; quotas: texts such
    as `bar=100`, filled in this order (`catalog.selection.choosing.choose`); columns: of your own,
    for the manifest. The next best galaxy takes the place of one whose image is missing,
    unreadable or not the one that was ingested, and `refused.csv` says so. `out` is new or empty,
    and appears when it is complete; the same catalogue gives the same bytes. Raises
    `CatalogError` and its kinds for what the user can put right, such as images of which the best
    thousand (or as many as the budget, if more) cannot be used.
    """
    if budget < 1:
        raise CatalogError("the budget must be 1 galaxy or more")
    with Store.open(catalog, read_only=True) as store, ImageReader() as reader:
        warn_of(store, "predict", *(["score"] if by == "loss" else []))
        tree = store.tree
        _check_own(store, columns)
        wanted = read_quotas(quotas, tree, budget)
        rejects: list[Reject] = []
        files: dict[int, tuple[str, PickedImage]] = {}
        with replacing_folder(out) as part, progress("selecting", budget) as bar:

            def use(picks: Sequence[Pick]) -> Iterator[bool]:
                for galaxy in _images(store, picks):
                    try:
                        files[galaxy.galaxy_id] = write_image(part, reader, galaxy), galaxy
                    except CatalogError as error:
                        rejects.append(_reject(galaxy, error))
                        if not files and len(rejects) >= max(_FRUITLESS, budget):
                            raise CatalogError(_nothing(rejects)) from None
                    bar.advance(galaxy.galaxy_id in files)
                    yield galaxy.galaxy_id in files

            scores = read_scores(
                store,
                by,
                quotas=list(wanted),
                min_votes=min_votes,
                max_votes=max_votes,
                where=where,
            )
            picks = choose(scores, budget, wanted, tree, use)
            if not picks:
                raise CatalogError(_nothing(rejects))
            entries = _entries(store, tree, picks, files, columns)
            write_manifest(part, entries, by, scores.run_id, columns)
            write_refused(part, rejects)
    filled = {
        name: (sum(p.by_quota and tree.questions[p.question].name == name for p in picks), quota)
        for name, quota in wanted.items()
    }
    manifest = manifest_path(out)
    return SelectReport(manifest, budget, len(picks), filled, scores.without_image, len(rejects))


def _images(store: Store, picks: Sequence[Pick]) -> list[PickedImage]:
    """Where the images of picked galaxies are, in the order of the picks."""
    ids = [pick.galaxy_id for pick in picks]
    rows = {row["galaxy_id"]: PickedImage(**row) for row in image_facts(store, ids).to_pylist()}
    return [rows[galaxy_id] for galaxy_id in ids]


def _entries(
    store: Store,
    tree: DecisionTree,
    picks: Sequence[Pick],
    files: Mapping[int, tuple[str, PickedImage]],
    columns: Sequence[str],
) -> list[Entry]:
    ids = np.array(sorted(pick.galaxy_id for pick in picks), np.int64)
    rows = (row.values() for row in read_own(store, columns, ids).to_pylist())
    own = dict(zip(ids.tolist(), map(tuple, rows), strict=True)) if columns else {}
    votes = question_totals(store, [pick.galaxy_id for pick in picks])
    entries = []
    for pick in picks:
        question = tree.questions[pick.question].name
        asked = votes.get((pick.galaxy_id, question), 0.0)
        file, galaxy = files[pick.galaxy_id]
        values = own.get(pick.galaxy_id, ())
        entries.append(Entry(file, galaxy, question, pick.by_quota, pick.score, asked, values))
    return entries


def _check_own(store: Store, columns: Sequence[str]) -> None:
    """Raises `UnknownName` for one that is no column of the user's own."""
    known = [column.name for column in own_columns(store)]
    for name in columns:
        if name not in known:
            near = f"; nearest: {nearest(name, known)}" if known else ""
            raise UnknownName(f"no column {name!r} of your own in {store.path}{near}")


def _reject(galaxy: PickedImage, error: CatalogError) -> Reject:
    place = "" if galaxy.member is None else f" {galaxy.member}"
    return Reject(galaxy.source + place, None, galaxy.iauname, str(error))


def _nothing(rejects: Sequence[Reject]) -> str:
    if rejects:
        return f"no image of {len(rejects):,} galaxies can be used; the best: {rejects[0].reason}"
    return "no galaxy with a score has an image; ingest images with --images"
