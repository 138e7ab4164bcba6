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
from zoolens.catalog.store.own_rows import own_columns, read_own
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import catalogues
from zoolens.catalog.survey.selection import BestOfAll, Worth
from zoolens.jobs.reports import InNotebook

_FRUITLESS = 1000  # refused in a row from the first; then the images must have been moved


@dataclass(frozen=True)
class SelectReport(InNotebook):
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

    Of a survey they are those of one catalogue with all of its galaxies.
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
    paths = catalogues(catalog)
    wanted = read_quotas(quotas, _tree(paths), budget)
    _check_own(catalog, paths, columns)
    worth = Worth(by, [*wanted], min_votes, max_votes, where)
    rejects: list[Reject] = []
    files: dict[int, tuple[str, PickedImage]] = {}
    with replacing_folder(out) as part, ImageReader() as reader:
        found = BestOfAll(catalog, worth, budget)
        with progress("selecting", budget) as bar:

            def use(picks: Sequence[Pick]) -> Iterator[bool]:
                for galaxy in _images(paths, found, picks):
                    try:
                        files[galaxy.galaxy_id] = write_image(part, reader, galaxy), galaxy
                    except CatalogError as error:
                        rejects.append(_reject(galaxy, error))
                        if not files and len(rejects) >= max(_FRUITLESS, budget):
                            raise CatalogError(_nothing(rejects)) from None
                    bar.advance(galaxy.galaxy_id in files)
                    yield galaxy.galaxy_id in files

            picks = choose(found.best, budget, wanted, use)
        if not picks:
            raise CatalogError(_nothing(rejects))
        write_manifest(part, _entries(paths, found, picks, files, columns), by, columns)
        write_refused(part, rejects)
    of = [question.name for question in found.tree.questions]
    filled = {
        name: (sum(p.by_quota and of[p.question] == name for p in picks), quota)
        for name, quota in wanted.items()
    }
    manifest = manifest_path(out)
    return SelectReport(manifest, budget, len(picks), filled, found.without_image, len(rejects))


def _by_piece(found: BestOfAll, picks: Sequence[Pick]) -> dict[int, list[int]]:
    """Numbers of picked galaxies, ascending, by the place of their catalogue."""
    parts: dict[int, list[int]] = {}
    for pick in sorted(picks, key=lambda pick: pick.galaxy_id):
        parts.setdefault(found.piece(pick), []).append(pick.galaxy_id)
    return parts


def _images(paths: Sequence[Path], found: BestOfAll, picks: Sequence[Pick]) -> list[PickedImage]:
    """Where the images of picked galaxies are, in the order of the picks."""
    rows: dict[int, PickedImage] = {}
    for piece, ids in _by_piece(found, picks).items():
        with Store.open(paths[piece], read_only=True) as store:
            facts = image_facts(store, ids).to_pylist()
        rows |= {row["galaxy_id"]: PickedImage(**row) for row in facts}
    return [rows[pick.galaxy_id] for pick in picks]


def _entries(
    paths: Sequence[Path],
    found: BestOfAll,
    picks: Sequence[Pick],
    files: Mapping[int, tuple[str, PickedImage]],
    columns: Sequence[str],
) -> list[Entry]:
    own: dict[int, tuple[object, ...]] = {}
    votes: dict[tuple[int, str], float] = {}
    for piece, ids in _by_piece(found, picks).items():
        with Store.open(paths[piece], read_only=True) as store:
            votes |= question_totals(store, ids)
            if columns:
                known = [name for name in columns if name in _own_names(store)]
                rows = read_own(store, known, np.array(ids, np.int64)).to_pylist()
                own |= {
                    one: tuple(map(row.get, columns)) for one, row in zip(ids, rows, strict=True)
                }
    entries = []
    for pick in picks:
        question = found.tree.questions[pick.question].name
        asked = votes.get((pick.galaxy_id, question), 0.0)
        file, galaxy = files[pick.galaxy_id]
        why = question, pick.by_quota, pick.score, asked, found.run_id(pick)
        entries.append(Entry(file, galaxy, *why, own.get(pick.galaxy_id, ())))
    return entries


def _tree(paths: Sequence[Path]) -> DecisionTree:
    """That of the first catalogue that has one. Raises `NothingHere` if none has."""
    for path in paths:
        with Store.open(path, read_only=True) as store:
            if (tree := store.tree_or_none) is not None:
                return tree
    with Store.open(paths[0], read_only=True) as store:
        return store.tree  # which says what is lacking


def _own_names(store: Store) -> list[str]:
    return [column.name for column in own_columns(store)]


def _check_own(catalog: Path, paths: Sequence[Path], columns: Sequence[str]) -> None:
    """Raises `UnknownName` for one that is no column of the user's own in any catalogue."""
    known: list[str] = []
    for path in paths if columns else ():
        with Store.open(path, read_only=True) as store:
            known += _own_names(store)
    for name in columns:
        if name not in known:
            near = f"; nearest: {nearest(name, [*dict.fromkeys(known)])}" if known else ""
            raise UnknownName(f"no column {name!r} of your own in {catalog}{near}")


def _reject(galaxy: PickedImage, error: CatalogError) -> Reject:
    place = "" if galaxy.member is None else f" {galaxy.member}"
    return Reject(galaxy.source + place, None, galaxy.iauname, str(error))


def _nothing(rejects: Sequence[Reject]) -> str:
    if rejects:
        return f"no image of {len(rejects):,} galaxies can be used; the best: {rejects[0].reason}"
    return "no galaxy with a score has an image; ingest images with --images"
