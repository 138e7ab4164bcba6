"""That the campaign of damages sees a silent one, and tells it from a harmless one."""

import shutil
from pathlib import Path

import duckdb
import pytest

from reliability.answers import answers
from reliability.cases import Outcome
from reliability.flips import judge_catalogue, judge_release

pytestmark = pytest.mark.slow


@pytest.fixture
def gz(full_gz: Path, tmp_path: Path) -> Path:
    for path in full_gz.parent.glob("gz.*"):
        shutil.copy2(path, tmp_path)
    from zoolens.jobs.index import index

    index(tmp_path / "gz.duckdb", approximate=True)
    return tmp_path / "gz.duckdb"


def test_an_answer_that_changes_without_a_word_is_a_failure(gz: Path) -> None:
    sound = answers(gz)
    assert judge_catalogue(gz, sound, "none").outcome == Outcome.HARMLESS
    with duckdb.connect(str(gz)) as connection:  # as no checksum of a block would see
        connection.execute("UPDATE galaxy SET ra = ra + 1 WHERE galaxy_id = 3")
    verdict = judge_catalogue(gz, sound, "moved")
    assert verdict.outcome == Outcome.FAILED
    assert "main.galaxies" in verdict.words


def test_what_verify_finds_is_noticed(gz: Path) -> None:
    sound = answers(gz)
    with duckdb.connect(str(gz)) as connection:
        connection.execute("INSERT INTO vote SELECT * FROM vote WHERE galaxy_id = 3")
    assert judge_catalogue(gz, sound, "twice").outcome == Outcome.NOTICED


def test_a_file_cut_short_is_noticed(gz: Path) -> None:
    sound = answers(gz)
    gz.write_bytes(gz.read_bytes()[:100_000])
    assert judge_catalogue(gz, sound, "cut").outcome == Outcome.NOTICED


def test_a_release_that_is_verified_without_a_fault_is_a_failure(
    full_cut: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(full_cut, tmp_path / "copy"))
    assert judge_release(full_cut, copy, "none").outcome == Outcome.FAILED
    (copy / "README.md").write_text("other words")
    assert judge_release(full_cut, copy, "rewritten").outcome == Outcome.NOTICED
