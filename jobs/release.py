"""`release`: a frozen, documented, checksummed copy of the catalogue for others."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from zoolens.catalog.decision_tree import NO_TREE
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.hats import needs_hats
from zoolens.catalog.formats.parquet import DescribedParquet
from zoolens.catalog.paths import CUBES, GALLERY, RELEASE_FORMATS, SCRATCH, table_path
from zoolens.catalog.release.columns import chosen_columns, release_columns
from zoolens.catalog.release.columns import described as column_of
from zoolens.catalog.release.documents import write_croissant, write_dictionary, write_readme
from zoolens.catalog.release.galaxies import ERROR_RATE
from zoolens.catalog.release.long_tables import answers_table, long_tables
from zoolens.catalog.release.provenance import (
    Title,
    find_runs,
    run_records,
    write_checksums,
    write_citation,
    write_manifest,
)
from zoolens.catalog.release.writing import (
    Contents,
    Written,
    described,
    write_formats,
    write_tables,
)
from zoolens.catalog.runtime.files import replacing_folder
from zoolens.catalog.store.own_rows import own_columns
from zoolens.catalog.store.released import Runs, galaxy_without_position, votes_are_whole
from zoolens.catalog.store.row_filter import RowFilter
from zoolens.catalog.store.store import Store, code_version
from zoolens.jobs.settings import Cut

_ANSWER = "answer of the decision tree"
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")


@dataclass(frozen=True)
class ReleaseReport:
    """What was released.

    galaxies and columns: of the table of galaxies; tables: long ones beside it; size: of
    all files, byte; notes: what a reader should know that is not in it.
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
    """Cut a release from the newest runs of a catalogue into the new folder `out`.

    With counterparts or a gallery it needs the files of `jobs.index`. The folder is complete
    or absent, and the same catalogue gives the same bytes. Raises `UnknownName` for a
    preset, column or format that does not exist, `CatalogError` for what cannot be released.
    """
    _check(title, cut)
    with Store.open(catalog, read_only=True) as store:
        runs = find_runs(store)
        if cut.gallery and runs.score is None:
            store.needs_votes("a gallery of the worst losses")
            store.newest_run("score")  # which says that they are to be made
        contents = _contents(store, runs, cut)
        if cut.cubes and runs.explain is None:
            raise CatalogError(f"{catalog} has no saliency maps; do first: zoolens explain --all")
        if "hats" in cut.formats:
            _check_positions(store, contents)
        with replacing_folder(out) as part:
            scratch = part / SCRATCH
            scratch.mkdir()
            written = write_tables(store, runs, contents, part, scratch)
            notes = [
                *_organisations(title),
                *_left_out(store, contents),
                *_extras(store, runs, part, title, written, contents, cut),
            ]
            shutil.rmtree(scratch)
            forms = [form for form in RELEASE_FORMATS if form in {"parquet", *cut.formats}]
            facts = _facts(store, runs, title, cut.preset, contents, forms)
            write_formats(part, title, forms, facts["date"])
            tables = described(part, _rows(contents))
            write_readme(part, title, tables, facts)
            write_dictionary(part, title, tables)
            write_croissant(part, title, tables, facts)
            write_citation(part, title, facts["tree"], facts["date"])
            rows = {name: table.rows for name, table in tables.items()}
            write_manifest(part, {**facts, "rows": rows})
            write_checksums(part)
            size = sum(file.stat().st_size for file in part.rglob("*") if file.is_file())
        return ReleaseReport(
            out,
            written.rows["galaxies"],
            len(contents.columns),
            len(tables) - 1,
            size,
            tuple(notes),
        )


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


def _left_out(store: Store, contents: Contents) -> list[str]:
    """Which of the user's columns are in no release, for want of a name."""
    return [
        f"your column {own.name!r} is left out: the release has one of that name; keep it under "
        "another too, new=old"
        for own in own_columns(store)
        if own.name not in contents.every.names
        or not contents.every.field(own.name).equals(column_of(own.said), check_metadata=True)
    ]


def _contents(store: Store, runs: Runs, cut: Cut) -> Contents:
    """What is to be written; refuses columns and conditions before any work."""
    tree = store.tree_or_none or NO_TREE
    columns = partial(
        release_columns,
        tree,
        votes=store.has_votes,
        predictions=runs.predict is not None,
        losses=runs.score is not None,
        whole_votes=votes_are_whole(store),
        trained=bool(store.complete_runs("train")),
        maps=runs.explain is not None,
        ensemble=runs.predict is not None and "models" in store.run(runs.predict).config,
        estimates=runs.estimates,
    )
    # a tree that came after them may have given names of theirs to columns of the release
    taken = {name.lower() for name in columns().names}
    own = [column.said for column in own_columns(store) if column.name.lower() not in taken]
    every = columns(own=own)
    chosen = chosen_columns(every, tree, cut.preset, cut.columns, runs.estimates, own)
    if cut.where is not None:
        RowFilter(cut.where, every)
    named = any("_counterpart" in text for text in (*chosen.names, cut.where or ""))
    tables = long_tables(store, runs) if cut.preset == "full" and not cut.columns else []
    counterparts = cut.counterparts if named else 0
    return Contents(every, chosen, cut.where, cut.min_votes or 0, counterparts, tables)


def _check_positions(store: Store, contents: Contents) -> None:
    """Refuse at once what HATS would refuse after all is written."""
    if not {"ra", "dec"} <= {*contents.columns.names}:
        raise CatalogError("HATS needs the positions; name the columns ra and dec too")
    name = galaxy_without_position(store)
    if name is not None and contents.condition is None and not contents.min_votes:
        raise CatalogError(
            f"HATS needs positions, and some galaxies have none, such as {name}; leave them out "
            'with --where "ra IS NOT NULL"'
        )


def _extras(
    store: Store,
    runs: Runs,
    folder: Path,
    title: Title,
    written: Written,
    contents: Contents,
    cut: Cut,
) -> list[str]:
    """Write what is not a table of galaxies or votes; returns notes on them."""
    notes = []
    if contents.tables:
        answers = answers_table(store, runs)
        file = table_path(folder, "answers")
        with DescribedParquet(file, answers.schema, "answers", _ANSWER) as writer:
            writer.write(answers)
    if runs.explain is None:
        if contents.tables and runs.predict is not None:
            notes.append("no saliency: these predictions are not explained (zoolens explain)")
    elif cut.cubes:
        from zoolens.catalog.release.cubes import write_cubes

        write_cubes(store, runs.explain, written.galaxy_id, folder / CUBES)
    if cut.gallery:
        from zoolens.catalog.release.gallery.page import write_gallery

        shown = write_gallery(
            store,
            folder / GALLERY,
            limit=cut.gallery,
            min_votes=cut.min_votes,
            among=written.galaxy_id,
            title=str(title),
        )
        notes.append(
            f"gallery of {shown.galaxies:,} galaxies, {shown.without_image:,} without an image, "
            f"{shown.without_maps:,} without saliency maps"
        )
    return notes


def _rows(contents: Contents) -> dict[str, str]:
    """What one row of each table is, by name."""
    rows = {"galaxies": "galaxy", **{table.name: table.row for table in contents.tables}}
    return rows | ({"answers": _ANSWER} if contents.tables else {})


def _unusual(store: Store, runs: Runs) -> dict[str, Any]:
    """What else the manifest says, of catalogues without losses, or with estimates."""
    said: dict[str, Any] = {}
    if runs.score is None:
        lacks = "predictions" if store.has_votes else "votes and predictions"
        said["without"] = lacks if runs.predict is None else "losses"
    if runs.estimate is not None:
        config = store.run(runs.estimate).config
        said["estimates"] = {name: config[name] for name in ("output", "names", "target")}
    return said


def _facts(
    store: Store,
    runs: Runs,
    title: Title,
    preset: str,
    contents: Contents,
    formats: Sequence[str],
) -> dict[str, Any]:
    """What the manifest says."""
    records = run_records(store, runs)
    last = runs.score or runs.predict or runs.estimate
    (dated,) = (record for record in records if record["run_id"] == last)
    full = contents.columns.names == contents.every.names
    return {
        "name": title.name,
        "version": title.version,
        "date": dated["finished_at"][:10],
        "zoolens": code_version(),
        "tree": None if (tree := store.tree_or_none) is None else tree.name,
        "selection": {
            "preset": preset,
            "columns": None if full or preset != "full" else contents.columns.names,
            "where": contents.condition,
            "min_votes": contents.min_votes,
            "counterparts_of_the_worst": contents.counterparts,
        },
        **_unusual(store, runs),
        "own_columns": [
            column.name for column in own_columns(store) if column.name in contents.columns.names
        ],
        "vote_error_rate": ERROR_RATE,
        "formats": [*formats],
        "runs": records,
    }
