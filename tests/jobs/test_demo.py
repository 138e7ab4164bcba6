"""The whole way on a simulated sky."""

from pathlib import Path

import pytest

from zoolens.catalog.evaluation.truth import judge
from zoolens.catalog.store.store import Store
from zoolens.jobs.demo import demo
from zoolens.jobs.release_verify import verify
from zoolens.jobs.reports import Report
from zoolens.jobs.simulate import TRUTH


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn_figures", "short_evaluation")
def test_everything_is_made_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for few, name in ((4, "_MAPS"), (2, "_TYPICAL"), (3, "_GALLERY")):
        monkeypatch.setattr(f"zoolens.jobs.demo.{name}", few)
    said: list[Report] = []
    report = demo(tmp_path / "out", galaxies=12, say=said.append)
    with Store.open(report.catalog, read_only=True) as store:
        expected = judge(store, tmp_path / "out/sky" / TRUTH, limit=10, min_votes=10)
        jobs = set(store.arrow("SELECT DISTINCT job FROM runs")["job"].to_pylist())
    assert report.worst.equals(expected)
    assert report.known == expected["nearer"].to_pylist().count("model")
    assert jobs == {"ingest", "predict", "score", "index", "explain", "evaluate"}
    assert not len(verify(report.release).faults)
    page = report.page.read_text(encoding="utf-8")
    assert all(name in page for name in expected["iauname"].to_pylist())
    assert f"model's side in {report.known} and" in page.replace("&#39;", "'")
    assert len(said) == 9
