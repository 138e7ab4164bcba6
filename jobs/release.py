"""`release`: a frozen, documented, checksummed copy of the catalogue for others."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.formats.hats import needs_hats
from zoolens.catalog.formats.parquet import DescribedParquet
from zoolens.catalog.release.columns import chosen_columns, release_columns
from zoolens.catalog.release.documents import write_croissant, write_dictionary, write_readme
from zoolens.catalog.release.files import CUBES, FORMATS, GALLERY, SCRATCH, long_table
from zoolens.catalog.release.galaxies import ERROR_RATE, Runs
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
from zoolens.catalog.store.row_filter import RowFilter
from zoolens.catalog.store.store import Store, code_version

_ANSWER = "answer of the decision tree"
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")


@dataclass(frozen=True)
class ReleaseReport:
    """What was released.

    galaxies and columns: of the table of galaxies; tables: long ones beside it; size: of
    all files, byte; notes: what a reader should know that is not in it.
    """

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


def release(
    catalog: Path,
    out: Path,
    title: Title,
    *,
    preset: str = "full",
    columns: Sequence[str] = (),
    where: str | None = None,
    min_votes: float = 0,
    formats: Sequence[str] = ("parquet", "fits"),
    counterparts: int = 1000,
    gallery: int = 0,
    cubes: bool = False,
) -> ReleaseReport:
    """Cut a release from the newest runs of a catalogue into the new folder `out`.

    preset: `full`, or `friendly`, few columns and no long tables; columns: those named
    instead, of the table of galaxies. where: an SQL condition on any column of the full
    table. min_votes: only answers to questions asked of so many volunteers rank, and only
    galaxies with such a question are there. formats: of the table of galaxies; Parquet is
    always among them. counterparts: of how many of the worst galaxies to name them;
    gallery: how many of the worst galaxies to show on a page. cubes: saliency maps as
    FITS files too.

    The folder is whole or not there, and the same catalogue gives the same bytes. Raises
    `UnknownName` for a preset, column or format that there is not, `CatalogError` for what
    cannot be released.
    """
    _check(title, formats, min_votes)
    with Store.open(catalog, read_only=True) as store:
        runs = find_runs(store)
        contents = _contents(store, runs, preset, columns, where, min_votes, counterparts)
        if cubes and runs.explain is None:
            raise CatalogError(f"{catalog} has no saliency maps; do first: zoolens explain --all")
        if "hats" in formats:
            _check_positions(store, contents)
        with replacing_folder(out) as part:
            scratch = part / SCRATCH
            scratch.mkdir()
            written = write_tables(store, runs, contents, part, scratch)
            notes = [*_extras(store, runs, part, title, written, contents, gallery, cubes)]
            shutil.rmtree(scratch)
            forms = [form for form in FORMATS if form in {"parquet", *formats}]
            facts = _facts(store, runs, title, preset, contents, forms)
            write_formats(part, title, forms, facts["date"])
            tables = described(part, _rows(contents))
            write_readme(part, title, tables, facts)
            write_dictionary(part, title, tables)
            write_croissant(part, title, tables, facts)
            write_citation(part, title, store.tree.name, facts["date"])
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


def _check(title: Title, formats: Sequence[str], min_votes: float) -> None:
    if not title.name.strip() or not title.name.isprintable():
        raise CatalogError("a release needs a name; give one with --name")
    if not _VERSION.fullmatch(title.version):
        raise CatalogError(
            f"version {title.version!r} is none; take letters, digits, dots, such as 1.0.0"
        )
    for form in formats:
        if form not in FORMATS:
            raise UnknownName(f"no format {form!r}; choose among {', '.join(FORMATS)}")
    if "hats" in formats:
        needs_hats()
    if not min_votes >= 0:  # so NaN too
        raise CatalogError("the fewest votes must be 0 or more")


def _contents(
    store: Store,
    runs: Runs,
    preset: str,
    columns: Sequence[str],
    where: str | None,
    min_votes: float,
    counterparts: int,
) -> Contents:
    """What is to be written; refuses columns and conditions before any work."""
    whole = store.value("SELECT bool_and(count = floor(count) AND total = floor(total)) FROM vote")
    trained = store.value("SELECT 1 FROM run WHERE job = 'train' AND status = 'complete'")
    every = release_columns(
        store.tree,
        whole_votes=bool(whole),
        trained=bool(trained),
        maps=runs.explain is not None,
    )
    chosen = chosen_columns(every, store.tree, preset, columns)
    if where is not None:
        RowFilter(where, every)
    named = any("_counterpart" in text for text in (*chosen.names, where or ""))
    tables = long_tables(store, runs) if preset == "full" and not columns else []
    return Contents(every, chosen, where, min_votes, counterparts if named else 0, tables)


def _check_positions(store: Store, contents: Contents) -> None:
    """Refuse at once what HATS would refuse once all is written."""
    if not {"ra", "dec"} <= {*contents.columns.names}:
        raise CatalogError("HATS needs the positions; name the columns ra and dec too")
    name = store.value("SELECT min(iauname) FROM galaxies WHERE ra IS NULL OR dec IS NULL")
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
    gallery: int,
    cubes: bool,
) -> list[str]:
    """Write what is not a table of galaxies or votes; what there is to say of it."""
    notes = []
    if contents.tables:
        answers = answers_table(store, runs)
        file = long_table(folder, "answers")
        with DescribedParquet(file, answers.schema, "answers", _ANSWER) as writer:
            writer.write(answers)
    if runs.explain is None:
        if contents.tables:
            notes.append("no saliency: these predictions are not explained (zoolens explain)")
    elif cubes:
        from zoolens.catalog.release.cubes import write_cubes

        write_cubes(store, runs.explain, written.galaxy_id, folder / CUBES)
    if gallery:
        from zoolens.catalog.release.gallery.page import write_gallery

        shown = write_gallery(
            store,
            folder / GALLERY,
            limit=gallery,
            min_votes=contents.min_votes,
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
    (scored,) = (record for record in records if record["run_id"] == runs.score)
    full = contents.columns.names == contents.every.names
    return {
        "name": title.name,
        "version": title.version,
        "date": scored["finished_at"][:10],
        "zoolens": code_version(),
        "tree": store.tree.name,
        "selection": {
            "preset": preset,
            "columns": None if full or preset != "full" else contents.columns.names,
            "where": contents.condition,
            "min_votes": contents.min_votes,
            "counterparts_of_the_worst": contents.counterparts,
        },
        "vote_error_rate": ERROR_RATE,
        "formats": [*formats],
        "runs": records,
    }
