"""`ingest`: a published vote table, and images, into the catalogue."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Flags
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.images.checking import image_rows
from zoolens.catalog.images.pairing import list_stated, named_by_table, names_sought, pair
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import ImageListing, list_images
from zoolens.catalog.runtime.files import sha256_of
from zoolens.catalog.store.galaxies import (
    SAME_PLACE_ARCSEC,
    Numbering,
    fill_positions,
    galaxies_named,
    galaxies_with_image,
    galaxy_table,
    number_galaxies,
)
from zoolens.catalog.store.ingests import (
    Replaced,
    begin_ingest,
    finish_ingest,
    held_tree,
    replaced,
)
from zoolens.catalog.store.kinds import is_refused
from zoolens.catalog.store.matrices import read_votes
from zoolens.catalog.store.rejects import Reject, counts_by_kind, reject_table
from zoolens.catalog.store.shards import Part, as_they_are, fill
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.votes.reading import VoteBlock, VoteTable, open_vote_table, read_vote_table
from zoolens.catalog.votes.standing import changed_questions, vote_table

IMAGES_A_SHARD = 512


@dataclass(frozen=True)
class IngestReport:
    """What an ingest did.

    galaxies: accepted rows of the table; new_galaxies, votes, images: rows that the
    run added. rejects: how many, by kind. replaced: of how many galaxies the run replaced
    votes or images, and which ingest had brought those. unasked: questions of the tree that the
    table does not have. notes: what else to know, one sentence each. changed: False
    if the same ingest was complete before.
    """

    job: ClassVar[str] = "ingest"
    run_id: int
    tree: str
    galaxies: int
    new_galaxies: int
    votes: int
    images: int
    rejects: Mapping[str, int]
    replaced: tuple[Replaced, ...]
    unasked: tuple[str, ...]
    notes: tuple[str, ...]
    changed: bool

    @property
    def summary(self) -> str:
        new = f" ({self.new_galaxies:,} new)" if self.changed else ""
        said = [f"{self.galaxies:,} galaxies{new}, {self.images:,} images, tree {self.tree}"]
        for word, refused in (("refused", True), ("remarks", False)):
            of = {kind: n for kind, n in self.rejects.items() if is_refused(kind) == refused}
            if of:
                said.append(f"{word}: " + ", ".join(f"{n:,} {kind}" for kind, n in of.items()))
        return "; ".join(said)


def ingest(
    catalog: Path,
    votes: Path,
    *,
    images: Path | None = None,
    tree: str | None = None,
    id_column: str | None = None,
    weighted: bool = False,
) -> IngestReport:
    """Read a vote table and, if given, images; create the catalogue if there is none.

    votes: CSV, CSV.gz, Parquet or FITS, in a layout of `catalog.votes.layouts`.
    images: a folder, tar shards or Parquet (`catalog.images.sources`); without it, the
    paths in the table's `file_loc` column if it has one. tree: its name, by default
    recognised from the columns. id_column: by default `iauname`. weighted:
    accept fractional counts, and read Galaxy Zoo 2's weighted votes.

    Known galaxies keep their number. Only votes that differ from the catalogue's are
    added, and replace those of their galaxy and question; questions that the table
    does not have stay as they were. What is refused goes to `rejects` with its
    reason. Nothing shows in the public views before all is done. If killed, the same
    call continues where it stopped; another ingest first deletes what an abandoned one
    left.

    Raises `TableRefused` for a table, and `CatalogError` for images, that cannot be
    used at all, and `CatalogError` if the catalogue holds votes of another tree.
    """
    held = None
    if catalog.exists():
        with Store.open(catalog) as store:
            held = held_tree(store)
    table = read_vote_table(votes, tree=tree, prefer=held, identifier=id_column, weighted=weighted)
    listing: ImageListing | None
    if images is not None:
        listing = named_by_table(list_images(images), table.names, table.files)
    elif table.files is not None:
        listing = list_stated(votes, table.names, table.rows.tolist(), table.files)
    else:
        listing = None
    settings = {
        "votes_sha256": sha256_of(votes),
        "tree": table.tree.name,
        "id_column": table.layout.identifier,
        "weighted": weighted,
        "images": None if listing is None else listing.digest,
    }
    origin = {"votes": str(votes.resolve())}
    if images is not None:
        origin["images"] = str(images.resolve())
    with Store.open(catalog, create=True) as store:
        run = begin_ingest(store, settings, origin, table.tree)
        if not run.complete:
            _ingest_votes(store, run, votes, table)
            if listing is not None:
                _ingest_images(store, run, votes, table, listing)
            with store.transaction():
                for block in table.blocks():
                    fill_positions(store, block.names, block.ra, block.dec)
                finish_ingest(store, run)
        return _report(store, run, table)


def tree_of(
    catalog: Path,
    votes: Path,
    *,
    tree: str | None = None,
    id_column: str | None = None,
    weighted: bool = False,
) -> DecisionTree:
    """The tree that `ingest` would read with these settings, of which no row is read.

    Raises `TableRefused` as that does.
    """
    held = None
    if catalog.exists():
        with Store.open(catalog, read_only=True) as store:
            held = held_tree(store)
    settings = {"tree": tree, "identifier": id_column}
    return open_vote_table(votes, prefer=held, weighted=weighted, **settings)[1].tree


def _ingest_votes(store: Store, run: Run, votes: Path, table: VoteTable) -> None:
    """Commit refused rows, then galaxies and votes, shard by shard."""
    if not store.committed(run, "refused"):
        store.commit(run, "refused", {"reject": reject_table(table.rejects)})
    parts = (
        Part(block, len(block.names), f"votes-{i:06d}") for i, block in enumerate(table.blocks())
    )
    # one after another: new galaxies are numbered onwards from those that are committed
    fill(
        store,
        run,
        parts,
        partial(_block_rows, votes, table),
        read=partial(_numbered, store, table),
        describe="votes",
        total=len(table),
    )


def _numbered(
    store: Store, table: VoteTable, block: VoteBlock
) -> tuple[VoteBlock, Numbering, Flags]:
    """A block of the table, the numbers of its galaxies, and the questions (N, Q) to write."""
    numbers = number_galaxies(store, block.names, block.ra, block.dec)
    return block, numbers, _news(store, table, block, numbers)


def _block_rows(
    votes: Path, table: VoteTable, numbered: tuple[VoteBlock, Numbering, Flags]
) -> dict[str, pa.Table]:
    """New galaxies, votes that differ from the current ones, and galaxies that have moved."""
    block, numbers, write = numbered
    return {
        "galaxy": galaxy_table(numbers, block.names, block.ra, block.dec),
        "vote": vote_table(table.tree, numbers.galaxy_id, block.counts, block.totals, write),
        "reject": reject_table(_apart(votes, block, numbers)),
    }


def _news(store: Store, table: VoteTable, block: VoteBlock, numbers: Numbering) -> Flags:
    """The questions (N, Q) whose votes the catalogue lacks, or has with other counts."""
    write = np.ones(block.totals.shape, dtype=bool)
    known = np.flatnonzero(numbers.known)
    known = known[np.argsort(numbers.galaxy_id[known])]
    current = read_votes(store, table.tree, numbers.galaxy_id[known])
    write[known] = changed_questions(current, block.counts[known], block.totals[known], table.asked)
    return write


def _apart(votes: Path, block: VoteBlock, numbers: Numbering) -> list[Reject]:
    """Galaxies that are not where the catalogue has them."""
    return [
        Reject(
            str(votes),
            int(block.rows[i]),
            block.names[i],
            f"contradictory position: {numbers.apart[i]:.1f} arcsec from the catalogue's, "
            "which is kept",
        )
        for i in np.flatnonzero(numbers.apart > SAME_PLACE_ARCSEC)
    ]


def _ingest_images(
    store: Store, run: Run, votes: Path, table: VoteTable, listing: ImageListing
) -> None:
    """Commit what is wrong with the list of images, then the images, shard by shard."""
    names = table.names
    galaxies = galaxies_named(
        store,
        [*names, *names_sought(listing)],
        underscored=any(entry.member for entry in listing.entries),
    )
    paired, unpaired = pair(listing, galaxies)
    if not store.committed(run, "listing"):
        imaged = {galaxy for galaxy, _ in paired} | {*galaxies_with_image(store).tolist()}
        bare = [
            Reject(str(votes), row, name, "votes without image: none of that name")
            for name, row in zip(names, table.rows.tolist(), strict=True)
            if galaxies[name] not in imaged
        ]
        stated = {reject.key for reject in listing.rejects if reject.row is not None}
        bare = [reject for reject in bare if reject.key not in stated]
        store.commit(run, "listing", {"reject": reject_table([*listing.rejects, *unpaired, *bare])})
    shards = [paired[i : i + IMAGES_A_SHARD] for i in range(0, len(paired), IMAGES_A_SHARD)]
    parts = (Part(shard, len(shard), f"images-{i:06d}") for i, shard in enumerate(shards))
    with ImageReader() as reader:
        fill(
            store,
            run,
            parts,
            partial(image_rows, reader),
            read=as_they_are,
            describe="checking images",
            total=len(paired),
        )


def _report(store: Store, run: Run, table: VoteTable) -> IngestReport:
    added = {name: store.rows_of(run, name) for name in ("galaxy", "vote", "image")}
    gone = replaced(store, run)
    notes = [
        f"replaced: {what} of {galaxies:,} galax{'y' if galaxies == 1 else 'ies'}, from {origin}"
        for what, galaxies, origin in gone
        if not run.complete  # else nothing was replaced now
    ]
    notes += table.layout.notes
    notes += [f"{r.key}: {r.reason}" for r in table.rejects if r.row is None]
    if table.layout.unasked:
        notes.append(f"not in the table: {', '.join(table.layout.unasked)}")
    return IngestReport(
        run.run_id,
        table.tree.name,
        len(table),
        added["galaxy"],
        added["vote"],
        added["image"],
        counts_by_kind(store, run),
        tuple(gone),
        table.layout.unasked,
        tuple(notes),
        not run.complete,
    )
