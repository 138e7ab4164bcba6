"""Where a release comes from: runs, citation, checksums as coreutils reads them."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.made.catalogues import (
    add_predictions,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.releases import TITLE
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.galaxies import Block
from zoolens.catalog.release.provenance import (
    Title,
    read_checksums,
    read_manifest,
    release_files,
    run_records,
    write_checksums,
    write_citation,
    write_manifest,
)
from zoolens.catalog.store.store import Store
from zoolens.jobs.release import release
from zoolens.jobs.score import score

pytestmark = pytest.mark.slow


def test_checksums_are_those_of_coreutils(full_cut: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=full_cut,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    files = {f.relative_to(full_cut).as_posix() for f in full_cut.rglob("*") if f.is_file()}
    assert {line.split(": ")[0] for line in done.stdout.splitlines()} == files - {"SHA256SUMS"}


def test_without_predictions_or_scores_there_is_nothing_to_release(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(5))
    with pytest.raises(CatalogError, match="has no predictions"):
        release(path, tmp_path / "out", TITLE)
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(5))
    with pytest.raises(CatalogError, match="no complete score run"):
        release(path, tmp_path / "out", TITLE)
    score(path)
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(5, seed=9), seed=9)
    with pytest.raises(CatalogError, match="not ready for a release: the losses of run 3 are of"):
        release(path, tmp_path / "out", TITLE)
    assert [*tmp_path.iterdir()] == [path]


def test_runs_belong_together(store: Store, block: Block) -> None:
    runs = block.runs
    assert runs.score is not None
    assert store.run(runs.score).config["predict_run"] == runs.predict
    assert runs.explain == store.newest_run("explain")
    records = run_records(store, runs)
    assert [record["job"] for record in records] == [
        "ingest",
        "predict",
        "ingest",
        "explain",
        "score",
    ]
    ends = store.arrow(
        "SELECT strftime(finished_at, '%Y-%m-%dT%H:%M:%SZ') AS at FROM run "
        "WHERE job <> 'index' ORDER BY run_id"
    )
    assert [record["finished_at"] for record in records] == ends["at"].to_pylist()


def test_a_manifest_comes_back_and_what_is_none_is_told(tmp_path: Path) -> None:
    facts = {"version": "1", "name": "Üñí", "rows": {"galaxies": 3}}
    write_manifest(tmp_path, facts)
    assert read_manifest(tmp_path) == facts
    for text in ("", "[]", '{"name": "x"}', "\ufeff"):
        (tmp_path / "release.json").write_text(text)
        with pytest.raises(CatalogError, match=r"is no release: release.json cannot be read"):
            read_manifest(tmp_path)
    with pytest.raises(CatalogError, match="is no release"):
        read_manifest(tmp_path / "nowhere")


def test_checksums_come_back_by_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    files = {"b  c.txt": b"1", "sub/a.bin": b"\0", "SHA256SUMS": b"old"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert release_files(tmp_path) == ["b  c.txt", "sub/a.bin"]
    write_checksums(tmp_path)
    assert read_checksums(tmp_path) == {
        name: hashlib.sha256(files[name]).hexdigest() for name in ("b  c.txt", "sub/a.bin")
    }
    (tmp_path / "SHA256SUMS").write_text("one-word\n")
    with pytest.raises(CatalogError, match="is no release: SHA256SUMS cannot be read"):
        read_checksums(tmp_path)


def test_a_citation_names_the_survey_of_the_tree(tmp_path: Path) -> None:
    def cited(title: Title, tree: str) -> dict[str, Any]:
        write_citation(tmp_path, title, tree, "2026-01-02")
        said: dict[str, Any] = yaml.safe_load((tmp_path / "CITATION.cff").read_text())
        return said

    full = cited(Title("Ü", "1", ("Zoo, B.", "no: [a, b]", "'é\" # {x}"), "mit"), "gz2")
    assert full["authors"] == [
        {"family-names": "Zoo", "given-names": "B."},
        {"family-names": "no: [a", "given-names": "b]"},
        {"name": "'é\" # {x}"},
    ]
    assert (full["title"], full["license"], str(full["date-released"])) == (
        "Ü",
        "MIT",
        "2026-01-02",
    )
    assert [work["authors"][0]["family-names"] for work in full["references"]] == [
        "Willett",
        "Walmsley",
        "Su",
    ]
    bare = cited(Title("Toy", "1"), "toy")
    assert bare["authors"] == [{"name": "Makers of Toy"}]
    assert not {"license", "license-url"} & {*bare}
    other = cited(Title("Toy", "1", licence="cc-by-3.0-igo"), "toy")
    assert "license" not in other, "CITATION.cff does not know its name"
    assert other["license-url"] == "https://spdx.org/licenses/CC-BY-3.0-IGO.html"
    assert len(bare["references"]) == 2
