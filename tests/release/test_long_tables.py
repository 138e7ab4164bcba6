"""Long tables of a release against the catalogue's own views."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.made.catalogues import (
    TOY,
)
from tests.made.releases import N, released_galaxies, view_rows
from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.release.galaxies import ERROR_RATE, Block
from zoolens.catalog.release.holdings import holdings_of
from zoolens.catalog.release.long_tables import answers_table, long_tables
from zoolens.catalog.scoring.credence import credence
from zoolens.catalog.store.matrices import read_posteriors, read_votes
from zoolens.catalog.store.store import Store

pytestmark = pytest.mark.slow


def test_vote_weights_are_credences_and_doubtful_votes_come_first(
    full_gz: Path, full_cut: Path
) -> None:
    galaxies = released_galaxies(full_cut)
    with Store.open(full_gz, read_only=True) as store:
        ids = np.arange(N - 2)
        counts = read_votes(store, TOY, ids).tree_counts
        ((where, alpha),) = read_posteriors(store, store.newest_run("predict"), ids)
        weights = credence(counts[where], alpha, TOY, ERROR_RATE).astype(np.float32)
    given = counts > 0
    for answer, label in enumerate(TOY.labels):
        found = galaxies[f"{label}_vote_weight"].to_numpy()[: N - 2]
        np.testing.assert_array_equal(found, np.where(given[:, answer], weights[:, answer], np.nan))
    noise = pq.read_table(full_cut / "tables/label_noise.parquet").to_pandas()
    assert len(noise) == given.sum()
    assert noise["vote_weight"].is_monotonic_increasing
    for row in noise.to_dict("records"):
        galaxy = galaxies.loc[row["iauname"]]
        assert row["vote_weight"] == galaxy[f"{row['label']}_vote_weight"]
        assert row["label"] == f"{row['question']}_{row['answer']}"
        assert (row["count"], row["total"]) == (
            galaxy[row["label"]],
            galaxy[f"{row['question']}_total-votes"],
        )


@pytest.mark.parametrize(
    "view", ["votes", "predictions", "losses", "question_losses", "saliency_stats"]
)
def test_long_tables_are_the_views(full_gz: Path, full_cut: Path, view: str) -> None:
    found = pq.read_table(full_cut / f"tables/{view}.parquet")
    expected = view_rows(full_gz, f"SELECT {', '.join(found.column_names)} FROM {view}")
    key = "label" if "label" in found.column_names else "question"

    def order(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["iauname"], row[key], row.get("of")

    assert sorted(found.to_pylist(), key=order) == sorted(expected, key=order)
    assert [*found["iauname"].to_pylist()] == sorted(found["iauname"].to_pylist())


def test_there_is_a_table_for_all_that_there_is(store: Store, block: Block) -> None:
    views = ["votes", "predictions", "losses", "question_losses"]
    every = [table.name for table in long_tables(holdings_of(store, block.runs))]
    assert every == [*views, "saliency_stats", "posteriors", "label_noise", "saliency"]
    unexplained = long_tables(holdings_of(store, replace(block.runs, explain=None)))
    assert [table.name for table in unexplained] == [*views, "posteriors", "label_noise"]
    for table in long_tables(holdings_of(store, block.runs)):
        assert not {"run_id", "galaxy_id"} & {*table.columns.names}
        assert table.read(block).schema.equals(table.columns)
        assert (table.order != "") == (table.name == "label_noise")


def test_answers_come_in_the_trees_order_with_their_weights(store: Store, block: Block) -> None:
    assert block.runs.score is not None
    weights = store.run(block.runs.score).config["weights"]
    table = answers_table(store, weights)
    assert table["label"].to_pylist() == [*TOY.labels]
    assert table["question"].to_pylist() == [q.name for q in TOY.questions for _ in q.answers]
    assert table["weight"].to_pylist() == [weights[label] for label in TOY.labels]
    assert all(meaning(field).description for field in table.schema)
