"""Each set of labels of `galaxy_datasets` goes the whole way, with a model of random weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from galaxy_datasets.shared import label_metadata

from tests.made.catalogues import blank
from tests.made.checkpoints import save_zoobot_tree
from tests.made.images import folder, picture
from tests.made.releases import view_rows
from tests.made.vote_tables import names, write
from zoolens.catalog.images.view import View
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.ingest import ingest
from zoolens.jobs.pipeline import explain, ingest_to_index, release, similar
from zoolens.jobs.settings import Cut, Inference, Which
from zoolens.jobs.worst import worst

SETS = [name for name, pairs in vars(label_metadata).items() if name.endswith("_pairs") and pairs]
GALAXIES = 4


def stem_of(labels: str) -> str:
    return labels.removesuffix("_pairs")


# By the tree that they are of: some have its questions with the campaign, and without.
SPELLINGS: dict[str, list[str]] = {}
for labels in SETS:
    SPELLINGS.setdefault(get_tree(stem_of(labels)).name, []).append(labels)


def vote_table(pairs: dict[str, list[str]]) -> pa.Table:
    """Random votes on all answers, named as the set names them."""
    chance = np.random.default_rng(3)
    columns: dict[str, Any] = {"iauname": names(GALAXIES)}
    columns |= {
        question + answer: chance.integers(1, 20, GALAXIES)
        for question, answers in pairs.items()
        for answer in answers
    }
    return pa.table(columns)


@pytest.mark.slow
@pytest.mark.parametrize("labels", [first for first, *_ in SPELLINGS.values()])
def test_votes_model_losses_counterparts_maps_and_release(labels: str, tmp_path: Path) -> None:
    pairs = getattr(label_metadata, labels)
    stem = stem_of(labels)
    table = vote_table(pairs)
    gz = blank(tmp_path / "gz.duckdb")
    images = {f"{name}.png": picture(i, side=64) for i, name in enumerate(names(GALAXIES))}
    ingest_to_index(
        gz,
        write(tmp_path / "votes.parquet", table),
        images=folder(tmp_path / "images", images),
        model=str(save_zoobot_tree(tmp_path / "m.ckpt", tree=stem, architecture="test_resnet")),
        inference=Inference(samples=2, view=View(size=64), engine="torch"),
    )
    answers = sum(map(len, pairs.values()))
    (counted,) = view_rows(
        gz,
        "SELECT count(*) AS losses, count(ce) AS asked, max(abs(ce + observed * ln(predicted) "
        "+ (1 - observed) * ln(1 - predicted))) AS off FROM losses",
    )
    assert counted["losses"] == counted["asked"] == GALAXIES * answers
    assert counted["off"] < 1e-6  # which views read as doubles, and losses are made from
    assert [q["question"] for q in view_rows(gz, "SELECT DISTINCT question FROM answers")] != []
    assert len(worst(gz, limit=GALAXIES)) == GALAXIES
    assert len(similar(gz, names(1)[0], k=2).table) == GALAXIES, "each once"
    explain(gz, Which(everything=True), figures=False)
    (maps,) = view_rows(gz, "SELECT count(*) AS stats FROM saliency_stats")
    assert maps["stats"] == 2 * GALAXIES * answers, "of concentrations and of fractions"
    release(
        gz,
        tmp_path / "release",
        Title("Every tree", "1"),
        Cut(formats=("parquet",), counterparts=2),
    )
    (galaxies,) = (tmp_path / "release").glob("*galaxies.parquet")
    cut = pq.read_table(galaxies)
    for label in get_tree(stem).labels:
        own = label if label in table.column_names else _suffixed(label, table.column_names)
        np.testing.assert_array_equal(cut[label], table[own])


@pytest.mark.slow
@pytest.mark.parametrize("alike", [alike for alike in SPELLINGS.values() if len(alike) > 1])
def test_what_goes_the_way_is_the_same_in_every_spelling(alike: list[str], tmp_path: Path) -> None:
    """So that its first goes for all."""
    held = []
    for labels in alike:
        gz = blank(tmp_path / f"{labels}.duckdb")
        ingest(gz, write(tmp_path / "votes.parquet", vote_table(getattr(label_metadata, labels))))
        with Store.open(gz, read_only=True) as store:
            held.append((store.tree, store.rows("SELECT * EXCLUDE run_id FROM vote ORDER BY ALL")))
    first, *others = held
    assert len(first[1])
    assert all(other == first for other in others)


def _suffixed(label: str, columns: list[str]) -> str:
    question, answer = label.split("_")
    (found,) = [c for c in columns if c.startswith(f"{question}-") and c.endswith(f"_{answer}")]
    return found
