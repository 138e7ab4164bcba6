"""Releases against the catalogue's own views, read by programs that are not ours."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.made.catalogues import TOY, catalogue, random_concentrations, random_counts
from tests.made.releases import (
    EVERYTHING,
    TITLE,
    N,
    full_catalogue,
    released_galaxies,
    view_rows,
)
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.predictions.estimates import estimate_rows
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.similarity.counterparts import find_counterparts
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.adopt import adopt
from zoolens.jobs.ingest import ingest
from zoolens.jobs.release import release
from zoolens.jobs.release_verify import verify
from zoolens.jobs.score import score
from zoolens.jobs.settings import Cut

pytestmark = pytest.mark.slow


def test_ranks_and_counterparts_are_those_of_the_commands(full_gz: Path, full_cut: Path) -> None:
    galaxies = released_galaxies(full_cut)
    with Store.open(full_gz, read_only=True) as store:
        ranking = rank_galaxies(store, N).to_pylist()
        for row in ranking:
            found = galaxies.loc[row["iauname"]]
            assert found["rank"] == row["rank"]
            assert found["worst_answer"] == row["label"]
            assert found["worst_weighted_ce"] == row["weighted_ce"]
            others = found[["observed_counterpart", "predicted_counterpart"]]
            if row["rank"] > 10:
                assert (others == "").all()
                continue
            best = find_counterparts(store, row["galaxy_id"], row["answer_id"])
            assert [*others] == [best.observed[0].iauname, best.predicted[0].iauname]
    assert galaxies["rank"].notna().sum() == len(ranking) < N


def test_the_same_catalogue_gives_the_same_bytes(
    full_gz: Path, full_cut: Path, tmp_path: Path
) -> None:
    release(full_gz, tmp_path / "again", TITLE, EVERYTHING)
    sums = [(folder / "SHA256SUMS").read_text() for folder in (full_cut, tmp_path / "again")]
    assert sums[0] == sums[1]


def test_provenance_has_runs_and_no_folders(full_gz: Path, full_cut: Path) -> None:
    facts = json.loads((full_cut / "release.json").read_text())
    with Store.open(full_gz, read_only=True) as store:
        for job in ("predict", "score", "explain"):
            (record,) = [run for run in facts["runs"] if run["job"] == job]
            assert record["run_id"] == store.newest_run(job)
    assert facts["rows"]["galaxies"] == N
    for file in full_cut.iterdir():
        if file.suffix in (".md", ".json", ".cff"):
            assert str(full_gz.parent) not in file.read_text()


def test_a_release_taken_back_has_the_same_losses(tmp_path: Path) -> None:
    path = full_catalogue(tmp_path / "gz.duckdb", tree=get_tree("gzd5"))
    out = tmp_path / "out"
    release(path, out, TITLE, Cut(formats=["fits", "csv"]))
    losses = "SELECT * EXCLUDE (run_id, galaxy_id) FROM losses ORDER BY iauname, label"
    likelihoods = "SELECT iauname, question, nll FROM question_losses ORDER BY ALL"
    for votes, predictions in (
        ("galaxies.parquet", "tables/posteriors.parquet"),
        ("galaxies.parquet", "galaxies.parquet"),
        ("galaxies.fits", "galaxies.fits"),
        ("galaxies.csv", "galaxies.csv"),
    ):
        again = tmp_path / f"{predictions.replace('/', '-')}.duckdb"
        ingest(again, out / votes)
        adopt(again, out / predictions)
        score(again)
        assert view_rows(again, losses) == view_rows(path, losses), predictions
        if "posteriors" in predictions:
            assert view_rows(again, likelihoods) == view_rows(path, likelihoods)


def test_friendly_has_few_columns_and_nothing_else(full_gz: Path, tmp_path: Path) -> None:
    report = release(full_gz, tmp_path / "out", TITLE, Cut(preset="friendly", formats=[]))
    names = pq.read_schema(tmp_path / "out/galaxies.parquet").names
    assert report.columns == len(names) < 60
    assert {"iauname", "ra", "rank", "round_yes_fraction", "round_yes_pred_frac"} < set(names)
    assert not (tmp_path / "out/tables").exists()


def test_columns_conditions_and_fewest_votes_choose(
    full_gz: Path, full_cut: Path, tmp_path: Path
) -> None:
    galaxies = released_galaxies(full_cut)
    condition = '"shape_smooth_pred_frac" > 0.3 -- and so on'
    release(
        full_gz,
        tmp_path / "a",
        TITLE,
        Cut(columns=["dec", "round_yes"], where=condition, formats=[]),
    )
    found = pq.read_table(tmp_path / "a/galaxies.parquet").to_pandas()
    assert [*found.columns] == ["iauname", "dec", "round_yes"]
    assert [*found["iauname"]] == [*galaxies.index[galaxies["shape_smooth_pred_frac"] > 0.3]]
    release(full_gz, tmp_path / "b", TITLE, Cut(min_votes=30, formats=[], counterparts=5))
    found = released_galaxies(tmp_path / "b")
    named = found[found["observed_counterpart"] != ""]
    assert len(named) == 5
    for _, row in named.iterrows():
        question = TOY.questions[TOY.question_of[TOY.answer_id(row["worst_answer"])]]
        votes = galaxies[f"{question.name}_total-votes"]
        assert votes[row["observed_counterpart"]] >= 30
        assert votes[row["predicted_counterpart"]] >= 30
    totals = galaxies[[f"{question.name}_total-votes" for question in TOY.questions]]
    assert [*found.index] == [*galaxies.index[(totals >= 30).any(axis=1)]]
    with Store.open(full_gz, read_only=True) as store:
        ranking = rank_galaxies(store, N, min_votes=30).to_pylist()
    assert {n: r for n, r in found["rank"].items() if r == r} == {
        row["iauname"]: row["rank"] for row in ranking
    }
    for name, kept in pq.read_table(tmp_path / "b/tables/losses.parquet").to_pandas().groupby(
        "iauname"
    ):  # fmt: skip
        assert name in found.index
        assert len(kept) == len(TOY.labels)


@pytest.mark.parametrize(
    ("chosen", "error", "says"),
    [
        ({"columns": ["round_yess"]}, UnknownName, "no column 'round_yess'.*round_yes"),
        ({"columns": ["ra", "ra"]}, CatalogError, "'ra' is named twice"),
        ({"preset": "tiny"}, UnknownName, "no preset 'tiny'; choose one of full, friendly"),
        ({"formats": ["xls"]}, UnknownName, "no format 'xls'"),
        ({"where": "ra >"}, CatalogError, "the condition 'ra >'"),
        ({"where": "ra > 1) UNION SELECT 1 WHERE (1 = 1"}, CatalogError, "syntax error"),
        ({"where": "ra > (SELECT 1 FROM '/etc/passwd')"}, CatalogError, "condition"),
        ({"where": "ra; DROP TABLE galaxy"}, CatalogError, "condition"),
        ({"where": "count(*) > 1"}, CatalogError, "cannot contain aggregates"),
        ({"where": "ra > 400"}, CatalogError, "no galaxy is left"),
        ({"min_votes": 1e9}, CatalogError, "no galaxy is left"),
        ({"min_votes": float("nan")}, CatalogError, "0 or more"),
        ({"formats": ["hats"], "columns": ["rank"]}, CatalogError, "ra and dec"),
    ],
)
def test_what_cannot_be_released_leaves_nothing(
    full_gz: Path, tmp_path: Path, chosen: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        release(full_gz, tmp_path / "out", TITLE, Cut(**chosen))
    assert "\n" not in str(caught.value)
    assert not [*tmp_path.iterdir()]


def test_titles_are_checked(full_gz: Path, tmp_path: Path) -> None:
    for title in (
        Title("", "1"),
        Title("a\nb", "1"),
        Title("a", "../1"),
        Title("a", ""),
        Title("a", "1", ("Founder, A.; 0000-0002-1825-0098",)),
        Title("a", "1", (), "CC BY 4.0"),
    ):
        with pytest.raises(CatalogError):
            release(full_gz, tmp_path / "out", title)
    with pytest.raises(CatalogError, match="exists"):
        release(full_gz, full_gz.parent, TITLE)
    assert not [*tmp_path.iterdir()]


def test_hats_needs_positions(tmp_path: Path) -> None:
    path = full_catalogue(tmp_path / "gz.duckdb")
    with Store.open(path) as store:
        store.execute("UPDATE galaxy SET ra = NULL WHERE galaxy_id = 3")
    before = {*tmp_path.iterdir()}
    with pytest.raises(CatalogError, match="J000003"):
        release(path, tmp_path / "out", TITLE, Cut(formats=["hats"]))
    assert {*tmp_path.iterdir()} == before
    release(path, tmp_path / "out", TITLE, Cut(formats=["hats"], where="ra IS NOT NULL"))
    assert not len(verify(tmp_path / "out").faults)


@pytest.mark.parametrize("predicted", [True, False])
def test_estimates_stand_beside_votes_and_predictions(tmp_path: Path, predicted: bool) -> None:
    """A galaxy without an estimate has none; of votes without predictions no loss is spoken of."""
    path = tmp_path / "gz.duckdb"
    alpha = random_concentrations(4) if predicted else None
    catalogue(path, random_counts(4), concentrations=alpha)
    samples = np.random.default_rng(0).random((3, 5, 2))
    with Store.open(path) as store:
        config = {"names": ["b", "a"], "output": "probability", "target": None}
        run = store.begin("estimate", config)
        rows = estimate_rows([0, 1, 3], ["b", "a"], samples, dropout=True)
        store.commit(run, "all", {"estimate": rows})
        store.finish(run)
    if predicted:
        score(path)
    out = tmp_path / "out"
    release(path, out, Title("Both", "1"), Cut(counterparts=0, where="b_estimate IS NULL OR true"))
    galaxies = released_galaxies(out)
    for place, name in enumerate("ba"):
        expected = np.insert(samples.mean(axis=1)[:, place], 2, np.nan)
        np.testing.assert_allclose(galaxies[f"{name}_estimate"], expected, rtol=1e-12)
    assert ("round_yes_pred_frac" in galaxies) == ("losses" in _tables(out)) == predicted
    assert "votes" in _tables(out)
    readme = (out / "README.md").read_text()
    assert "a classifier's probabilities of `b`, `a`; only those with" in readme
    assert "Galaxy Zoo votes (tree toy)" in readme
    assert ("how far the two disagree" in readme) == predicted
    facts = json.loads((out / "release.json").read_text())
    assert facts["estimates"]["names"] == ["b", "a"]
    assert facts.get("without") == (None if predicted else "predictions")


def _tables(folder: Path) -> set[str]:
    return {file.stem for file in (folder / "tables").iterdir()}
