"""A table into the catalogue: its galaxies, and their votes where it has any."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Flags
from zoolens.catalog.store.galaxies import (
    SAME_PLACE_ARCSEC,
    Numbering,
    galaxy_table,
    number_galaxies,
)
from zoolens.catalog.store.matrices import read_votes, without_votes
from zoolens.catalog.store.rejects import Reject, reject_table
from zoolens.catalog.store.shards import Part, fill
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.votes.galaxy_list import GalaxyBlock, GalaxyList
from zoolens.catalog.votes.reading import VoteBlock, VoteTable
from zoolens.catalog.votes.standing import changed_questions, vote_table

Table = VoteTable | GalaxyList
Block = VoteBlock | GalaxyBlock


def commit_table(store: Store, run: Run, path: Path, table: Table) -> None:
    """Commit refused rows, then galaxies and votes, shard by shard."""
    if not store.committed(run, "refused"):
        store.commit(run, "refused", {"reject": reject_table(table.rejects)})
    blocks: Iterator[Block] = table.blocks()
    parts = (Part(block, len(block.names), f"votes-{i:06d}") for i, block in enumerate(blocks))
    # one after another: new galaxies are numbered onwards from those that are committed
    fill(
        store,
        run,
        parts,
        partial(_block_rows, path, table),
        read=partial(_numbered, store, table),
        describe="votes" if isinstance(table, VoteTable) else "galaxies",
        total=len(table),
    )


def _numbered(store: Store, table: Table, block: Block) -> tuple[Block, Numbering, Flags | None]:
    """A block of the table, the numbers of its galaxies, and the questions (N, Q) to write."""
    numbers = number_galaxies(store, block.names, block.ra, block.dec)
    if isinstance(table, VoteTable) and isinstance(block, VoteBlock):
        return block, numbers, _news(store, table, block, numbers)
    return block, numbers, None


def _block_rows(
    path: Path, table: Table, numbered: tuple[Block, Numbering, Flags | None]
) -> dict[str, pa.Table]:
    """New galaxies, votes that differ from the current ones, and galaxies that have moved."""
    block, numbers, write = numbered
    tables = {"galaxy": galaxy_table(numbers, block.names, block.ra, block.dec)}
    if isinstance(table, VoteTable) and isinstance(block, VoteBlock) and write is not None:
        tables["vote"] = vote_table(
            table.tree, numbers.galaxy_id, block.counts, block.totals, write
        )
    return {**tables, "reject": reject_table(_apart(path, block, numbers))}


def _news(store: Store, table: VoteTable, block: VoteBlock, numbers: Numbering) -> Flags:
    """The questions (N, Q) whose votes the catalogue lacks, or has with other counts."""
    write = np.ones(block.totals.shape, dtype=bool)
    known = np.flatnonzero(numbers.known)
    known = known[np.argsort(numbers.galaxy_id[known])]
    bare = without_votes(store, numbers.galaxy_id[known])  # as new ones: they get all questions
    known = known[~np.isin(numbers.galaxy_id[known], bare)]
    current = read_votes(store, table.tree, numbers.galaxy_id[known])
    write[known] = changed_questions(current, block.counts[known], block.totals[known], table.asked)
    write[~block.voted] = False  # a row without any count says nothing of votes
    return write


def _apart(path: Path, block: Block, numbers: Numbering) -> list[Reject]:
    """Galaxies that are not where the catalogue has them."""
    return [
        Reject(
            str(path),
            int(block.rows[i]),
            block.names[i],
            f"contradictory position: {numbers.apart[i]:.1f} arcsec from the catalogue's, "
            "which is kept",
        )
        for i in np.flatnonzero(numbers.apart > SAME_PLACE_ARCSEC)
    ]
