"""`ingest`: a published vote table, and images, into the catalogue."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.formats.identifiers import IDENTIFIER
from zoolens.catalog.formats.reading import TableFile, table_digest
from zoolens.catalog.images.committing import commit_images
from zoolens.catalog.images.pairing import (
    list_stated,
    named_by_table,
    names_sought,
    pair,
    strangers,
)
from zoolens.catalog.images.sources import ImageListing, list_images
from zoolens.catalog.store.galaxies import (
    fill_positions,
    galaxies_named,
    galaxies_with_image,
    next_number,
    number_of_galaxies,
)
from zoolens.catalog.store.ingests import begin_ingest, finish_ingest, held_tree, replaced
from zoolens.catalog.store.rejects import Reject, counts_by_kind
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.votes.committing import Table, commit_table
from zoolens.catalog.votes.galaxy_list import is_galaxy_list, read_galaxy_list, unusable_names
from zoolens.catalog.votes.reading import VoteTable, open_vote_table, read_vote_table
from zoolens.jobs.reports import MANY_QUESTIONS, IngestReport, replaced_note
from zoolens.jobs.settings import Share

IMAGES_A_SHARD = 512


def ingest(
    catalog: Path,
    votes: Path | None = None,
    *,
    images: Path | None = None,
    tree: str | None = None,
    id_column: str | None = None,
    weighted: bool = False,
    kept: Collection[str] = (),
    share: Share = Share(),
) -> IngestReport:
    """Read a table of votes or of galaxies, and images; create the catalogue if there is none.

    votes: CSV, CSV.gz, Parquet, also in a folder, or FITS, in a layout of `catalog.votes.layouts`;
    or a table of galaxies without votes (`catalog.votes.galaxy_list`). Without it, images are of
    the galaxies of the catalogue that they are named after, and of new ones. images: a folder, tar
    shards or
    Parquet (`catalog.images.sources`); without it, the paths in the table's `file_loc` column if
    it has one. tree: its name, by default recognised from the columns; without votes only the
    one named, as predictions bring it too. id_column: by default `iauname`. weighted:
    accept fractional counts, and read Galaxy Zoo 2's weighted votes. kept: columns that `jobs.keep`
    takes, and that are not reported as unread. share: of a catalogue that is a piece of a survey.

    Known galaxies keep their number. Only votes that differ from the catalogue's are
    added, and replace those of their galaxy and question; questions that the table
    does not have stay as they were. What is refused goes to `rejects` with its
    reason. Nothing shows in the public views before all is done. If killed, the same
    call continues where it stopped; another ingest first deletes what an abandoned one
    left.

    Raises `TableRefused` for a table, and `CatalogError` for images, that cannot be
    used at all, and `CatalogError` if the catalogue holds votes or predictions of another tree.
    """
    if votes is None and images is None:
        raise CatalogError(
            "there is nothing to ingest; give a table of votes or galaxies, --images, or both"
        )
    held = _held(catalog) or share.tree
    table = _read_table(votes, tree, held, id_column, weighted)
    if votes is not None:
        votes, digest = TableFile(votes).path, table_digest(votes)
    listing = share.images or _list_images(votes, images, table)
    if table is not None:
        table.rejects.extend(share.rejects)
    voted = isinstance(table, VoteTable)
    of = table.tree if isinstance(table, VoteTable) else _named(tree, held)
    settings = {
        "votes_sha256": digest if votes and voted else None,
        "tree": of and of.name,
        "id_column": _identifier(table),
        "weighted": weighted,
        "images": None if listing is None else listing.digest,
    }
    if votes is not None and not voted:
        settings["galaxies_sha256"] = digest
    origin = {} if votes is None else {"votes" if voted else "galaxies": str(votes.resolve())}
    if images is not None:
        origin["images"] = str(images.resolve())
    with Store.open(catalog, create=True) as store:
        run = begin_ingest(store, settings, origin, of)
        before = number_of_galaxies(store)
        if not run.complete:
            if table is not None and votes is not None:
                commit_table(store, run, votes, table)
            if listing is not None and table is not None and votes is not None:
                _ingest_images(store, run, votes, table, listing)
            elif listing is not None and images is not None:
                _ingest_alone(store, run, images, listing)
            with store.transaction():
                for block in table.blocks() if table is not None else ():
                    fill_positions(store, block.names, block.ra, block.dec)
                finish_ingest(store, run)
        return _report(store, run, table, before, kept)


def tree_of(
    catalog: Path,
    votes: Path | None = None,
    *,
    tree: str | None = None,
    id_column: str | None = None,
    weighted: bool = False,
) -> DecisionTree | None:
    """The tree of the catalogue once `ingest` is done with these settings; no row is read.

    None if it will have none yet. Raises `TableRefused` as that does.
    """
    held = _held(catalog)
    named = _named(tree, held)
    if votes is None or is_galaxy_list(votes, id_column, filter(None, (held, named))):
        return named or held
    settings = {"tree": tree, "identifier": id_column}
    return open_vote_table(votes, prefer=held, weighted=weighted, **settings)[1].tree


def _held(catalog: Path) -> DecisionTree | None:
    """The tree that a catalogue holds, if there is one."""
    if not catalog.exists():
        return None
    with Store.open(catalog) as store:
        return held_tree(store)


def _named(tree: str | None, held: DecisionTree | None) -> DecisionTree | None:
    """The tree that is asked for by name: the catalogue's own, a published one or a file's."""
    if tree is None:
        return None
    return held if held is not None and tree == held.name else get_tree(tree)


def _read_table(
    path: Path | None,
    tree: str | None,
    held: DecisionTree | None,
    id_column: str | None,
    weighted: bool,
) -> Table | None:
    """The table: of votes if it has any, else of galaxies."""
    if path is None:
        return None
    if is_galaxy_list(path, id_column, filter(None, (held, _named(tree, held)))):
        return read_galaxy_list(path, identifier=id_column)
    return read_vote_table(path, tree=tree, prefer=held, identifier=id_column, weighted=weighted)


def _identifier(table: Table | None) -> str | None:
    """The column that names the galaxies."""
    if table is None:
        return None
    return table.layout.identifier if isinstance(table, VoteTable) else table.identifier


def _list_images(
    path: Path | None, images: Path | None, table: Table | None
) -> ImageListing | None:
    """The images in `images`, or those that a table names, if it does."""
    if images is not None:
        listing = list_images(images)
        return listing if table is None else named_by_table(listing, table.names, table.files)
    if path is None or table is None or (files := table.files) is None:
        return None
    return list_stated(path, table.names, table.rows.tolist(), files, _bare(table))


def _bare(table: Table) -> str:
    """The kind of remark on a galaxy without an image."""
    return "votes without image" if isinstance(table, VoteTable) else "galaxy without image"


def _ingest_images(store: Store, run: Run, path: Path, table: Table, listing: ImageListing) -> None:
    """The images of galaxies that the table or the catalogue has; others are refused."""
    names = table.names
    galaxies = galaxies_named(
        store,
        [*names, *names_sought(listing)],
        underscored=any(entry.member for entry in listing.entries),
    )
    voted = isinstance(table, VoteTable)
    without = "image without votes" if voted else "image without galaxy"
    paired, unpaired = pair(listing, galaxies, without)
    imaged = {galaxy for galaxy, _ in paired} | {*galaxies_with_image(store).tolist()}
    bare = [
        Reject(str(path), row, name, f"{_bare(table)}: none of that name")
        for name, row in zip(names, table.rows.tolist(), strict=True)
        if galaxies[name] not in imaged
    ]
    stated = {reject.key for reject in listing.rejects if reject.row is not None}
    bare = [reject for reject in bare if reject.key not in stated]
    rejects = [*listing.rejects, *unpaired, *bare]
    commit_images(store, run, paired, rejects, together=IMAGES_A_SHARD)


def _ingest_alone(store: Store, run: Run, images: Path, listing: ImageListing) -> None:
    """The images of the galaxies that they are named after, which need not be there yet.

    A new galaxy comes with its image: one that cannot be read brings none.
    """
    unusable = unusable_names(images, [entry.key for entry in listing.entries])
    refused = [listing.entries[place].refused(reason) for place, reason in unusable.items()]
    entries = [entry for i, entry in enumerate(listing.entries) if i not in unusable]
    listing = replace(listing, entries=entries)
    # what a killed run has committed counts as new, so that it goes on with the same numbers
    galaxies = galaxies_named(
        store,
        [*names_sought(listing)],
        underscored=any(entry.member for entry in entries),
        but=run,
    )
    numbers = enumerate(strangers(listing, galaxies), next_number(store, but=run))
    new = dict(numbers)
    galaxies |= {name: number for number, name in new.items()}
    paired, twice = pair(listing, galaxies)
    rejects = [*listing.rejects, *refused, *twice]
    commit_images(store, run, paired, rejects, together=IMAGES_A_SHARD, new=new)


def _report(
    store: Store, run: Run, table: Table | None, before: int, kept: Collection[str]
) -> IngestReport:
    """before: how many galaxies the catalogue had."""
    added = {name: store.rows_of(run, name) for name in ("galaxy", "vote", "image")}
    gone = replaced(store, run)
    notes = [] if run.complete else [replaced_note(one) for one in gone]  # else nothing was
    if table is not None:
        notes += _notes(table, kept)
    elif before and added["galaxy"] and not run.complete:
        notes.append(_newcomers(store, run, added["galaxy"], before))
    tree = store.tree_or_none
    return IngestReport(
        run.run_id,
        None if tree is None else tree.name,
        added["image"] if table is None else len(table),
        added["galaxy"],
        added["vote"],
        added["image"],
        counts_by_kind(store, run),
        tuple(gone),
        table.layout.unasked if isinstance(table, VoteTable) else (),
        tuple(notes),
        isinstance(table, VoteTable),
        not run.complete,
    )


def _notes(table: Table, kept: Collection[str]) -> list[str]:
    """What to know of a table, of its columns above all."""
    remarks = [f"{r.key}: {r.reason}" for r in table.rejects if r.row is None]
    if isinstance(table, VoteTable):
        unasked = few(table.layout.unasked, MANY_QUESTIONS)
        notes = [*table.layout.notes, *remarks]
        return [*notes, f"not in the table: {unasked}"] if unasked else notes
    if table.identifier != IDENTIFIER:
        remarks.append(f"galaxies are named by {table.identifier}")
    if unread := [column for column in table.unread if column not in kept]:
        remarks.append(
            f"columns not read: {few(unread)}; votes of a tree that is not known need "
            "--tree NAME.yaml, other columns --keep"
        )
    return remarks


def _newcomers(store: Store, run: Run, new: int, before: int) -> str:
    """Images whose galaxies a catalogue did not have, in case it is the wrong folder."""
    names = store.rows_made(run, "galaxy")["iauname"].to_pylist()
    galaxies = "1 image is of a galaxy" if new == 1 else f"{new:,} images are of galaxies"
    return f"{galaxies} that the catalogue of {before:,} did not have, and now has: {few(names)}"
