"""The work of an ingest into a survey, and what becomes of it if that is interrupted."""

from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogBusy, CatalogError, Told
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.survey.folder import Piece, asked_for, catalogues, write_survey
from zoolens.catalog.survey.routing import Routed
from zoolens.catalog.survey.work import plan, planned, working

ROUTED = Routed((Piece(0, 3), Piece(1, 30)), {Piece(1, 30): 5}, [Reject("t", 3, None, "x: y")])


class Killed(BaseException):
    """What ends a process."""


def interrupted(folder: Path, settings: dict[str, object], routed: Routed | None) -> Path:
    with pytest.raises(Killed), working(folder, settings, "votes.csv") as work:  # noqa: PT012
        if routed:
            plan(work, routed)
        raise Killed
    return work


def test_a_plan_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "survey"
    work = interrupted(folder, {"tree": None, "keep": ["z"]}, ROUTED)
    with working(folder, {"tree": None, "keep": ["z"]}, "votes.csv") as again:
        assert again == work
        assert planned(work) == ROUTED
        assert Piece(1, 30) == ROUTED.home
    assert not work.exists()


def test_what_was_not_set_aside_whole_is_begun_anew(tmp_path: Path) -> None:
    work = interrupted(tmp_path / "survey", {}, None)
    (work / "Norder=0").mkdir()
    (work / "names.duckdb").touch()
    with working(tmp_path / "survey", {}, "votes.csv"):
        assert planned(work) is None
        assert [item.name for item in work.iterdir()] == ["begun.json"]


def test_a_survey_that_is_not_there_yet_is_said_to_be_so(tmp_path: Path) -> None:
    folder = tmp_path / "survey"
    assert (asked_for(folder, False), asked_for(folder, True)) == (False, True)
    interrupted(folder, {}, None)
    said = r"ingest of votes.csv into .*survey has not ended, .*no survey yet: run the same"
    with pytest.raises(CatalogError, match=said):
        catalogues(folder)
    with pytest.raises(CatalogError, match=said):
        asked_for(folder, False)
    assert asked_for(folder, True)


def test_another_ingest_gives_up_a_survey_that_is_not_there_yet(tmp_path: Path) -> None:
    folder = tmp_path / "survey"
    interrupted(folder, {"table": "a"}, ROUTED)
    for file in (ROUTED.home.path(folder), folder / "Norder=1" / "Npix=30.duckdb.wal"):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    with working(folder, {"table": "b"}, "other.csv") as work:
        assert planned(work) is None
    assert not [*folder.glob("Norder=*/*")]


def test_another_ingest_waits_for_one_that_is_half_done(tmp_path: Path) -> None:
    write_survey(tmp_path, [Piece(0, 3)])
    piece = Piece(0, 3).path(tmp_path)
    piece.parent.mkdir()
    piece.touch()
    assert catalogues(tmp_path) == [piece]
    interrupted(tmp_path, {"table": "a"}, None)
    catalogues(tmp_path)  # nothing has changed yet, nothing is said
    with working(tmp_path, {"table": "b"}, "other.csv"):
        pass
    interrupted(tmp_path, {"table": "a"}, ROUTED)
    with pytest.raises(CatalogError, match=r"has not ended, .*some pieces may have it"):
        interrupted(tmp_path, {"table": "b"}, None)
    with pytest.warns(Told, match="some pieces may have it"):
        catalogues(tmp_path)


def test_a_refused_table_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="bad"), working(tmp_path / "new", {}, "votes.csv"):
        raise CatalogError("bad")
    assert not (tmp_path / "new").exists()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "notes.txt").touch()
    with pytest.raises(CatalogError, match="bad"), working(tmp_path / "own", {}, "votes.csv"):
        raise CatalogError("bad")
    assert [item.name for item in (tmp_path / "own").iterdir()] == ["notes.txt"]


def test_one_at_a_time(tmp_path: Path) -> None:
    with working(tmp_path, {}, "a.csv"), pytest.raises(CatalogBusy, match="another process"):
        interrupted(tmp_path, {}, None)


@pytest.mark.parametrize("text", ["", "{}", '{"pieces": [[0]], "rows": [], "rejects": []}'])
def test_a_damaged_plan_is_refused(tmp_path: Path, text: str) -> None:
    work = interrupted(tmp_path / "survey", {}, ROUTED)
    (work / "plan.json").write_text(text)
    with pytest.raises(CatalogError, match=r"plan\.json is damaged"):
        planned(work)


def test_a_folder_of_something_else_is_not_taken(tmp_path: Path) -> None:
    assert asked_for(tmp_path, True)
    (tmp_path / "gz.duckdb").touch()
    for path in (tmp_path, tmp_path / "gz.duckdb"):
        with pytest.raises(CatalogError, match="name another"):
            asked_for(path, True)
        assert not asked_for(path, False)
