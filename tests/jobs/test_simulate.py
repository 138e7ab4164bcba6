import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.compute as pc
import pytest
from pyarrow import csv, parquet

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.sky.truth import decode_mask
from zoolens.catalog.sky.volunteers import Crowd
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs import simulate as job
from zoolens.jobs.ingest import ingest
from zoolens.jobs.simulate import simulate

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
GALAXIES = job.GALAXIES_A_PART + 10  # two parts


def _digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("simulated") / "sky"
    report = simulate(out, galaxies=GALAXIES, seed=3, size=48, workers=1)
    assert report.changed
    assert report.galaxies == GALAXIES
    return out


def test_it_is_what_ingest_takes(sky: Path, tmp_path: Path) -> None:
    report = ingest(tmp_path / "gz.duckdb", sky / "votes.csv", images=sky / "images")
    assert report.tree == "gzd5"
    assert report.galaxies == report.images == GALAXIES
    assert report.rejects == {}
    assert report.unasked == ()
    assert report.notes == ("no column names a campaign: gzd8 and desi ask what gzd5 asks",)
    with Store.open(tmp_path / "gz.duckdb") as store:
        asked = store.value("SELECT count(*) FROM votes WHERE total > 0 AND label = 'bar_no'")
        assert 0 < asked <= GALAXIES


def test_images_are_also_found_by_the_tables_own_paths(sky: Path, tmp_path: Path) -> None:
    report = ingest(tmp_path / "gz.duckdb", sky / "votes.csv")
    assert report.images == GALAXIES


def test_votes_and_truth_agree(sky: Path) -> None:
    tree = get_tree("gzd5")
    votes = csv.read_csv(sky / "votes.csv")
    truth = parquet.read_table(sky / "truth.parquet")
    assert votes["iauname"].to_pylist() == truth["iauname"].to_pylist()
    assert len(set(votes["iauname"].to_pylist())) == GALAXIES
    for label in tree.labels:
        assert pc.all(pc.less_equal(truth[f"{label}_errors"], votes[label])).as_py()
    for question in tree.questions:
        total = votes[f"{question.name}_total-votes"]
        summed = votes[question.labels[0]]
        for label in question.labels[1:]:
            summed = pc.add(summed, votes[label])
        assert total.equals(summed)


def test_one_column_of_the_truth_can_be_read_alone(sky: Path) -> None:
    table = parquet.read_table(sky / "truth.parquet", columns=["mask_bar", "bar", "size"])
    for row in table.to_pylist():
        assert (row["mask_bar"] is not None) == (row["bar"] != "no")
        if row["mask_bar"] is not None:
            assert decode_mask(row["mask_bar"], row["size"]).any()


def test_the_number_of_workers_changes_nothing(sky: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "sky", galaxies=GALAXIES, seed=3, size=48, workers=2)
    assert _digest(tmp_path / "sky") == _digest(sky)


def test_a_longer_sky_begins_with_the_same_galaxies(sky: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "sky", galaxies=5, seed=3, size=48, workers=1)
    short, long = (parquet.read_table(p / "truth.parquet") for p in (tmp_path / "sky", sky))
    assert short.equals(long.slice(0, 5))


def test_again_does_nothing(sky: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in sky.rglob("*")}
    report = simulate(sky, galaxies=GALAXIES, seed=3, size=48, workers=1)
    assert not report.changed
    assert report.votes == json.loads((sky / "simulation.json").read_text())["result"]["votes"]
    assert {path: path.stat().st_mtime_ns for path in sky.rglob("*")} == before


@pytest.mark.parametrize(
    ("change", "word"), [({"seed": 4}, "seed"), ({"size": 64}, "size"), ({"galaxies": 9}, "galax")]
)
def test_another_sky_in_the_folder_is_refused(sky: Path, change: dict[str, int], word: str) -> None:
    with pytest.raises(CatalogError, match=f"another {word}") as caught:
        simulate(sky, **{"galaxies": GALAXIES, "seed": 3, "size": 48, **change})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_other_volunteers_are_another_sky(sky: Path) -> None:
    with pytest.raises(CatalogError, match="another crowd"):
        simulate(sky, galaxies=GALAXIES, seed=3, size=48, crowd=Crowd(error_rate=0.5))


def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(CatalogError, match="something else"):
        simulate(tmp_path, galaxies=3)
    with pytest.raises(CatalogError, match="is a file"):
        simulate(tmp_path / "thesis.tex", galaxies=3)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_damaged_manifest_is_told(tmp_path: Path) -> None:
    (tmp_path / "simulation.json").write_text("{")
    with pytest.raises(CatalogError, match="damaged"):
        simulate(tmp_path, galaxies=3)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("galaxies", 0),
        ("size", 8),
        ("size", 10**6),
        ("seed", -1),
        ("workers", -2),
        ("magnitude_limit", 19.5),
        ("magnitude_limit", float("nan")),
    ],
)
def test_settings_out_of_range_are_refused(tmp_path: Path, setting: str, value: float) -> None:
    settings = {"galaxies": 3, setting: value}
    with pytest.raises(CatalogError, match=f"{setting.replace('_', ' ')} is {value}; give"):
        simulate(tmp_path / "sky", **settings)  # type: ignore[arg-type]
    assert not (tmp_path / "sky").exists()


@pytest.mark.parametrize(
    "crowd", [Crowd(error_rate=1.5), Crowd(overdispersion=float("nan")), Crowd(many=0)]
)
def test_impossible_crowds_are_refused(tmp_path: Path, crowd: Crowd) -> None:
    with pytest.raises(CatalogError, match="give a value"):
        simulate(tmp_path / "sky", galaxies=3, crowd=crowd)


def test_images_half_written_when_killed_are_made_again(tmp_path: Path) -> None:
    out = tmp_path / "sky"
    simulate(out, galaxies=3, seed=3, size=48, workers=1)
    before = _digest(out)
    manifest = json.loads((out / "simulation.json").read_text())
    manifest.pop("result")
    (out / "simulation.json").write_text(json.dumps(manifest))
    (out / "votes.csv").unlink()
    (out / "truth.parquet").unlink()
    next((out / "images").rglob("*.png")).write_bytes(b"half an ima")
    assert simulate(out, galaxies=3, seed=3, size=48, workers=1).changed
    assert _digest(out) == before


def test_a_killed_simulation_goes_on(sky: Path, tmp_path: Path) -> None:
    out = tmp_path / "sky"
    script = (
        "from pathlib import Path\nfrom zoolens.jobs.simulate import simulate\n"
        f"simulate(Path({str(out)!r}), galaxies={GALAXIES}, seed=3, size=48, workers=1)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    first = out / ".parts" / "000000000.parquet"
    deadline = time.monotonic() + 120
    while not first.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "votes.csv").exists()
    report = simulate(out, galaxies=GALAXIES, seed=3, size=48, workers=1)
    assert report.changed
    assert _digest(out) == _digest(sky)


def _script(out: Path, before: str, galaxies: int, workers: int) -> str:
    return (
        f"{before}\nfrom pathlib import Path\nfrom zoolens.jobs.simulate import simulate\n"
        "if __name__ == '__main__':\n"
        f"    simulate(Path({str(out)!r}), galaxies={galaxies}, seed=3, size=48,"
        f" workers={workers})\n"
    )


def test_workers_end_with_the_one_who_started_them(tmp_path: Path) -> None:
    """They hold its standard output, which is at its end only when all are gone."""
    file = tmp_path / "run.py"
    file.write_text(_script(tmp_path / "sky", "", 20_000, 2))
    process = subprocess.Popen(
        [sys.executable, str(file)], env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=-1
    )
    deadline = time.monotonic() + 120
    while not any((tmp_path / "sky").rglob("*.png")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=30)


def test_a_full_disk_is_told_and_the_rest_is_made_later(tmp_path: Path) -> None:
    """A limit on the size of files stands in for it; pictures take some 5 kB."""
    out = tmp_path / "sky"
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
    done = subprocess.run(
        [sys.executable, "-c", _script(out, limit, 3, 1)], cwd=ROOT, capture_output=True, text=True
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("zoolens.catalog.errors.CatalogError")
    assert "could not be written: File too large; with room made for it" in last
    assert simulate(out, galaxies=3, seed=3, size=48).changed
