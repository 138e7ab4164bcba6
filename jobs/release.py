"""`release`: a frozen, documented, checksummed copy of a catalogue, or of a survey, for others."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.hats import needs_hats
from zoolens.catalog.formats.hats_pixels import Span
from zoolens.catalog.paths import RELEASE_FORMATS, SCRATCH
from zoolens.catalog.release.contents import Contents, check_for_hats, chosen_contents
from zoolens.catalog.release.contributions import Contribution
from zoolens.catalog.release.croissant import write_croissant
from zoolens.catalog.release.documents import write_dictionary, write_readme
from zoolens.catalog.release.holdings import Holdings, all_holdings
from zoolens.catalog.release.provenance import (
    Title,
    write_checksums,
    write_citation,
    write_manifest,
)
from zoolens.catalog.release.statement import last_day, statement
from zoolens.catalog.release.writing import described, write_formats
from zoolens.catalog.runtime.files import replacing_folder
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import Piece, catalogues, is_survey, open_survey
from zoolens.catalog.survey.provenance import check_agreement, lacking, records_of_all
from zoolens.catalog.survey.release import Extras, Written, write_contents
from zoolens.jobs.reports import InNotebook
from zoolens.jobs.settings import Cut

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")


@dataclass(frozen=True)
class ReleaseReport(InNotebook):
    """What was released.

    folder: the release. galaxies, columns: of the table of galaxies; tables: long ones beside it;
    size: of all files, bytes; notes: what a reader should know that is not in it.
    """

    job: ClassVar[str] = "release"
    run_id: ClassVar[int | None] = None
    changed: ClassVar[bool] = True
    folder: Path
    galaxies: int
    columns: int
    tables: int
    size: int
    notes: tuple[str, ...]

    @property
    def summary(self) -> str:
        return (
            f"{self.galaxies:,} galaxies, {self.columns} columns, {self.tables} long tables, "
            f"{self.size / 1e6:,.1f} MB"
        )


def is_scored(catalog: Path) -> bool:
    """Whether a catalogue has losses, of which counterparts and galleries are."""
    with Store.open(catalog, read_only=True) as store:
        return store.shown_run("score") is not None


def release(catalog: Path, out: Path, title: Title, cut: Cut = Cut()) -> ReleaseReport:
    """Cut a release from the newest runs of a catalogue, or of a survey's, into the folder `out`.

    With counterparts or a gallery it needs the files of `jobs.index`. The folder is complete
    or absent, and the same catalogue gives the same bytes. Of a survey the release is that of one
    catalogue with all of its galaxies, piece by piece. Raises `UnknownName` for a preset, column
    or format that does not exist, `CatalogError` for what cannot be released, such as pieces that
    show different models.
    """
    _check(title, cut)
    pieces = open_survey(catalog).pieces if is_survey(catalog) else ()
    contributions = [Contribution.read(path, piece=bool(pieces)) for path in catalogues(catalog)]
    names = [piece.name for piece in pieces] or [""]
    if pieces:
        check_agreement(catalog, contributions, names)
    held = all_holdings([contribution.held for contribution in contributions])
    contents = _contents(catalog, contributions, held, cut)
    with replacing_folder(out) as part:
        scratch = part / SCRATCH
        scratch.mkdir()
        extras = Extras(cut.cubes, cut.gallery, cut.min_votes, str(title))
        written = write_contents(contributions, held, contents, extras, part, scratch)
        shutil.rmtree(scratch)
        tables = _write_around(part, title, cut, contributions, pieces, held, contents, written)
        size = sum(file.stat().st_size for file in part.rglob("*") if file.is_file())
    notes = [
        *_organisations(title),
        *_left_out(held),
        *lacking(contributions, names),
        *_of_maps(held, contents, written),
    ]
    columns = len(contents.columns)
    return ReleaseReport(out, written.rows["galaxies"], columns, tables - 1, size, tuple(notes))


def _contents(
    catalog: Path, contributions: Sequence[Contribution], held: Holdings, cut: Cut
) -> Contents:
    """What is to be written; refuses before any work what cannot be."""
    if cut.gallery and not held.losses:
        predicted = [one for one in contributions if one.runs.predict is not None]
        with Store.open((predicted or contributions)[0].path, read_only=True) as store:
            store.needs_votes("a gallery of the worst losses")
            store.newest_run("score")  # which says that they are to be made
    contents = chosen_contents(
        held,
        preset=cut.preset,
        columns=cut.columns,
        where=cut.where,
        min_votes=cut.min_votes or 0,
        counterparts=cut.counterparts,
    )
    if cut.cubes and not held.maps:
        raise CatalogError(f"{catalog} has no saliency maps; do first: zoolens explain --all")
    if "hats" in cut.formats:
        unplaced = [
            contribution.unplaced
            for contribution in contributions
            if contribution.unplaced is not None
        ]
        check_for_hats(contents, min(unplaced, default=None))
    return contents


def _write_around(
    folder: Path,
    title: Title,
    cut: Cut,
    contributions: Sequence[Contribution],
    pieces: Sequence[Piece],
    held: Holdings,
    contents: Contents,
    written: Written,
) -> int:
    """Write other formats, documents and checksums; returns how many tables there are."""
    forms = [form for form in RELEASE_FORMATS if form in {"parquet", *cut.formats}]
    facts: dict[str, Any] = statement(
        title, last_day(contributions), held, contents, cut.preset, forms
    )
    names = [piece.name for piece in pieces]
    if names:
        facts["pieces"] = names
    facts["runs"] = records_of_all(contributions, names or [""])
    groups = written.groups[: len(pieces)]
    spans = [Span(some, p.order, p.pixel) for some, p in zip(groups, pieces, strict=True)]
    write_formats(folder, title, forms, facts["date"], spans)
    tables = described(folder, contents.tables)
    write_readme(folder, title, tables, facts)
    write_dictionary(folder, title, tables)
    write_croissant(folder, title, tables, facts)
    write_citation(folder, title, facts["tree"], facts["date"])
    write_manifest(folder, {**facts, "rows": {name: table.rows for name, table in tables.items()}})
    write_checksums(folder)
    return len(tables)


def _check(title: Title, cut: Cut) -> None:
    if not title.name.strip() or not title.name.isprintable():
        raise CatalogError("a release needs a name; give one with --name")
    if not _VERSION.fullmatch(title.version):
        raise CatalogError(
            f"version {title.version!r} is none; take letters, digits, dots, such as 1.0.0"
        )
    _ = title.people, title.spdx  # refused before any work
    for form in cut.formats:
        if form not in RELEASE_FORMATS:
            raise UnknownName(f"no format {form!r}; choose among {', '.join(RELEASE_FORMATS)}")
    if "hats" in cut.formats:
        needs_hats()
    if cut.min_votes is not None and not cut.min_votes >= 0:  # so NaN too
        raise CatalogError("the fewest votes must be 0 or more")


def _organisations(title: Title) -> list[str]:
    """Who is cited as an organisation, since a person may be meant."""
    names = [author.family for author in title.people if not author.given]
    return [
        f"{name} is cited as an organisation; a person is written --author 'Family, Given; ORCID'"
        for name in names
    ]


def _left_out(held: Holdings) -> list[str]:
    """Which of the user's columns are in no release, for want of a name."""
    return [
        f"your column {name!r} is left out: the release has one of that name; keep it under "
        "another too, new=old"
        for name in held.nameless
    ]


def _of_maps(held: Holdings, contents: Contents, written: Written) -> list[str]:
    """That there are no maps, and what the gallery is without."""
    said = []
    if contents.tables and held.predictions and not held.maps:
        said.append("no saliency: these predictions are not explained (zoolens explain)")
    if (shown := written.gallery) is not None:
        said.append(
            f"gallery of {shown.galaxies:,} galaxies, {shown.without_image:,} without an image, "
            f"{shown.without_maps:,} without saliency maps"
        )
    return said
