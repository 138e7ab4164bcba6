"""What a report of a fault says, whatever is at fault."""

import json
import os
import sys
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb
import pytest

from tests.made.catalogues import catalogue, random_concentrations, random_counts
from tests.made.processes import started
from tests.made.terminal import zoolens
from zoolens.catalog.store.schema import HEAD
from zoolens.catalog.store.store import Store
from zoolens.jobs.doctor import doctor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with one run that did not end."""
    path = tmp_path_factory.mktemp("doctor") / "gz.duckdb"
    catalogue(path, random_counts(3), concentrations=random_concentrations(3))
    with Store.open(path) as store:
        store.begin("score", {})
    return path


def test_it_tells_what_a_catalogue_is_at(path: Path) -> None:
    told = doctor(path).catalogue
    assert (told["kind"], told["schema"]) == ("one file", HEAD)
    assert told["predict"] == "run 2, 3 of 0 galaxies"
    assert told["runs"] == ["ingest complete: 1", "predict complete: 1", "score interrupted: 1"]
    assert told["unfinished"] == ["score run 3"]


def _write(path: Path, told: Connection) -> None:
    with Store.open(path) as store:
        store.begin("score", {})
        told.send("begun")
        told.recv()


@pytest.mark.slow
def test_who_writes_is_told_and_the_state_meanwhile(path: Path) -> None:
    here, there = Pipe()
    job = started(_write, path, there)
    here.recv()
    try:
        report = doctor(path)
    finally:
        here.send("done")
        job.join()
    (held,) = report.locks["held"]
    assert held.startswith(f"process {job.pid} ")
    assert held.endswith(" writes")
    assert report.catalogue["unfinished"] == "none"
    assert "score running: 1" in report.catalogue["runs"]


def test_an_older_catalogue_is_left_as_it_is(path: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.duckdb"
    old.write_bytes(path.read_bytes())
    with duckdb.connect(str(old)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    before = old.read_bytes()
    assert doctor(old).catalogue["schema"] == "0003; the next command brings it here"
    assert old.read_bytes() == before


def test_a_catalogue_with_other_views_is_left_as_it_is(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    other.write_bytes(path.read_bytes())
    with duckdb.connect(str(other)) as connection:
        connection.execute("UPDATE setting SET value = 'x' WHERE name = 'views_sha256'")
    before = other.read_bytes()
    said = f"{HEAD} with other views; the next command brings it here"
    assert doctor(other).catalogue["schema"] == said
    assert other.read_bytes() == before


def test_a_folder_is_called_what_it_is(full_cut: Path, tmp_path: Path) -> None:
    assert doctor(full_cut).catalogue == {"kind": "a release"}
    neither = "a folder, neither of a survey nor of a release"
    assert doctor(tmp_path).catalogue == {"kind": neither}


def test_a_damaged_catalogue_is_told_without_its_place(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    harmed = tmp_path / "secret.duckdb"
    for content in (whole[: len(whole) // 2], b"no database"):
        harmed.write_bytes(content)
        failed = doctor(harmed).catalogue["failed"]
        assert failed.startswith("CATALOGUE ")
        assert "secret" not in failed
        assert str(tmp_path) not in failed


def test_without_a_catalogue_the_rest_is_told(tmp_path: Path) -> None:
    report = doctor(tmp_path / "none.duckdb")
    assert report.catalogue == {"kind": "none there"}
    assert report.engines["torch"]


def test_a_broken_installation_is_told(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    monkeypatch.delitem(sys.modules, "zoolens.catalog.network.engines", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    report = doctor(path)
    assert "torch" in report.engines["failed"]
    assert report.catalogue["unfinished"] == ["score run 3"]


def test_of_a_survey_it_tells_the_pieces(full_survey: Path) -> None:
    report = doctor(full_survey)
    pieces = len([*full_survey.glob("Norder=*/*.duckdb")])
    assert report.catalogue["kind"] == f"a survey of {pieces} pieces"
    assert report.catalogue["schema"] == [f"{HEAD}: {pieces} pieces"]
    assert report.catalogue["cannot be read"] == "none"


def test_the_command_says_it_in_lines_and_as_json(path: Path) -> None:
    said = zoolens("doctor", "--catalog", path)
    assert (said.exit_code, said.stderr) == (0, "")
    assert max(map(len, said.stdout.splitlines())) <= 120
    asked = zoolens("doctor", "--catalog", path, "--json")
    told = json.loads(asked.stdout)
    assert list(told) == [line for line in said.stdout.splitlines() if line[0] != " "]
    for place in (path.parent, Path.home(), Path(os.__file__).parent, Path.cwd()):
        assert str(place) not in said.stdout + asked.stdout
