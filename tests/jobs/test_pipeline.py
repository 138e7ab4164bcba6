"""Jobs that need other jobs: patience, and an index that is made when it is needed."""

import os
from pathlib import Path

import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.releases import full_catalogue
from tests.made.terminal import zoolens
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.paths import index_path
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs import pipeline
from zoolens.jobs.reports import Brief, Report
from zoolens.jobs.score import score
from zoolens.jobs.settings import Cut, Inference, Maps, Which

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(
        tmp_path / "gz.duckdb", random_counts(30), concentrations=random_concentrations(30)
    )


def test_counterparts_come_with_their_index(path: Path) -> None:
    score(path)
    assert not index_path(path, "observed").exists()
    assert len(pipeline.similar(path, "G0003", k=2).table) == 5
    assert index_path(path, "observed").exists()


def test_a_release_gets_its_index_where_it_names_counterparts(tmp_path: Path) -> None:
    path = full_catalogue(tmp_path / "gz.duckdb")
    files = [index_path(path, kind) for kind in ("observed", "predicted")]
    for wanted, there in ((0, False), (5, True)):
        for file in files:
            file.unlink(missing_ok=True)
        cut = Cut(counterparts=wanted, formats=[])
        pipeline.release(path, tmp_path / f"out{wanted}", Title("Toy", "1"), cut)
        assert [file.exists() for file in files] == [there, there]


def test_an_index_is_made_for_figures_and_not_without(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`explain --all` draws nothing."""
    asked: list[Path] = []
    monkeypatch.setattr("zoolens.jobs.explain_survey.index", asked.append)
    for figures in (False, True):
        # there is nothing to explain with: these predictions are of no model
        with pytest.raises(CatalogError):
            pipeline.explain(path, Which(names=["G0001"]), figures=figures)
        assert asked == [path] * figures
    zoolens("explain", "--all", "--catalog", path)
    assert len(asked) == 1
    zoolens("explain", "G0001", "--catalog", path)
    assert len(asked) == 2


def test_ingest_goes_on_to_the_index_and_says_each_step(tmp_path: Path) -> None:
    """Votes and predictions as a release has them."""
    path = full_catalogue(tmp_path / "gz.duckdb", tree=get_tree("gzd5"))
    out = tmp_path / "out"
    pipeline.release(path, out, Title("Toy", "1"), Cut(formats=[]))
    table, again = out / "galaxies.parquet", tmp_path / "again.duckdb"
    said: list[Report] = []
    pipeline.ingest_to_index(again, table, predictions=table, weights="none", say=said.append)
    assert [report.job for report in said] == ["ingest", "predict", "score", "index"]
    assert [report.run_id for report in said] == [1, 2, 3, 4]
    assert all(report.changed for report in said)
    assert index_path(again, "predicted").exists()


def test_what_later_steps_would_refuse_is_refused_first(tmp_path: Path) -> None:
    votes, none = tmp_path / "votes.csv", tmp_path / "none"
    votes.touch()
    for settings, told in (
        ({"model": "m", "predictions": votes}, "not both"),
        ({"model": str(none)}, "no model at"),
        ({"model": "gzd5-simulate"}, "nearest: gzd5-simulated"),
        ({"predictions": none}, "no table at"),
        ({"weights": "papre"}, "no weights 'papre'"),
    ):
        with pytest.raises(CatalogError, match=told):
            pipeline.ingest_to_index(tmp_path / "gz.duckdb", votes, **settings)
    assert not (tmp_path / "gz.duckdb").exists()


def test_what_is_in_the_files_is_looked_at_first(tmp_path: Path, checkpoint: Path) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text("iauname," + ",".join(get_tree("gzd5").labels) + "\nJ1" + ",0" * 34 + "\n")
    weights = tmp_path / "weights.csv"
    weights.write_text("label,weight\nno-such_label,2\n")
    other = tmp_path / "other.csv"
    other.write_text("iauname,n\nJ1,2\n")
    os.mkfifo(tmp_path / "pipe")
    for settings, told in (
        ({"model": str(votes)}, "is no Zoobot model"),
        ({"predictions": votes}, "whole numbers, as counts of votes are"),
        ({"predictions": other}, "predicts nothing of tree"),
        ({"weights": str(weights)}, "no-such_label"),
        ({"weights": str(tmp_path / "pipe")}, "no weights"),
        ({"model": str(checkpoint), "inference": Inference(precision="float8")}, "float8"),
        ({"model": str(checkpoint), "inference": Inference(samples=-1)}, "-1 dropout samples"),
    ):
        with pytest.raises(CatalogError, match=told):
            pipeline.ingest_to_index(tmp_path / "gz.duckdb", votes, **settings)
        assert not (tmp_path / "gz.duckdb").exists()


def test_a_wrong_model_or_weights_stops_before_the_index(path: Path, tmp_path: Path) -> None:
    score(path)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("iauname,n\nJ1,2\n")
    with pytest.raises(CatalogError, match="needs the columns label and weight"):
        pipeline.similar(path, "G0003", weights=str(wrong))
    with pytest.raises(CatalogError, match="no galaxy"):
        pipeline.similar(path, "G9999")
    with pytest.raises(CatalogError, match="is no Zoobot model"):
        pipeline.explain(path, Which(names=["G0001"]), Maps(model=str(wrong)))
    assert not index_path(path, "observed").exists()


def test_a_brief_report_is_the_report_in_fewer_words(path: Path) -> None:
    report = score(path)
    brief = Brief(report, "some galaxies")
    assert (brief.job, brief.run_id, brief.changed) == ("score", report.run_id, True)
    assert (brief.summary, brief.notes) == ("some galaxies", ())
