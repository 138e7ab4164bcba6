"""Votes of galaxies that the catalogue had without any."""

from pathlib import Path

import numpy as np

from tests.made.catalogues import blank
from tests.made.vote_tables import decals, write
from zoolens.catalog.store.ingests import begin_ingest, finish_ingest
from zoolens.catalog.store.matrices import voted_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.votes.committing import Table, commit_table
from zoolens.catalog.votes.galaxy_list import read_galaxy_list
from zoolens.catalog.votes.reading import VoteTable, read_vote_table


def commit(store: Store, path: Path, table: Table) -> None:
    tree = table.tree if isinstance(table, VoteTable) else None
    run = begin_ingest(store, {"table": path.name, "tree": tree and tree.name}, {}, tree)
    commit_table(store, run, path, table)
    with store.transaction():
        finish_ingest(store, run)


def test_they_get_every_answer_as_new_galaxies_do(tmp_path: Path) -> None:
    """Also to questions that nobody was asked: else they would not count as voted on."""
    counts = np.zeros((3, 34))
    counts[:, 3:5] = 7  # not the first question
    votes = write(tmp_path / "votes.csv", decals(counts))
    table = read_vote_table(votes)
    listed = tmp_path / "list.csv"
    listed.write_text("\n".join(["iauname", *table.names[:2], "another"]))
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        commit(store, listed, read_galaxy_list(listed))
        assert store.tree_or_none is None
        assert store.has_votes is False
        commit(store, votes, table)
        assert voted_galaxies(store).tolist() == [1, 2, 4]
        assert store.value("SELECT count(*) FROM votes") == 3 * 34
        assert store.value("SELECT count(*) FROM galaxies") == 4
