"""Who may work: the fit, and those who agree."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from distributed import get_worker

from zoolens.catalog.cluster import team as module
from zoolens.catalog.cluster.asked import Scheduler
from zoolens.catalog.cluster.connecting import Said
from zoolens.catalog.cluster.team import Team
from zoolens.catalog.cluster.working import Needed, surroundings
from zoolens.catalog.errors import CatalogError


def named(_: object) -> int:
    return int(get_worker().name)


def only_at_0(_: object) -> int:
    if named(None):
        raise CatalogError("not here")
    return 0


def refusing(_: object) -> int:
    raise CatalogError("nowhere")


def own_name() -> str:
    return str(named(None))


def test_everybody_is_asked(team: Team) -> None:
    assert sorted(team.everywhere(named).values()) == [0, 1]
    assert team.threads == 2


def test_who_cannot_is_left_out_and_told_of(team: Team, capsys: pytest.CaptureFixture[str]) -> None:
    assert [*team.everywhere(only_at_0).values()] == [0]
    assert team.threads == 1
    assert "is left out: not here" in capsys.readouterr().err
    assert [*team.everywhere(named).values()] == [0]


def test_where_nobody_can_it_is_refused(team: Team) -> None:
    with pytest.raises(CatalogError, match=r"no worker can do this; .*: nowhere"):
        team.everywhere(refusing)


def test_workers_that_choose_differently_are_named(team: Team) -> None:
    assert team.agreed(str) == ""
    with pytest.raises(CatalogError, match=r"workers differ: 0 on .*, 1 on .*; say which"):
        team.agreed(own_name)


def test_another_version_is_refused(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "code_version", lambda: "9.9")
    with pytest.raises(CatalogError, match=r"it has Zoolens .*, and 9\.9 is meant; install"):
        team.everywhere(named)


def test_a_folder_and_images_that_are_not_seen_are_named(
    team: Team, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.catalog.cluster.working._PATIENCE", 0)
    team.needed = Needed(str(tmp_path / ".seen"), ".seen")
    with pytest.raises(CatalogError, match=f"does not see the folder {tmp_path}; .* --parts"):
        team.everywhere(named)
    team.refused.clear()
    (tmp_path / ".seen").write_text(".seen")
    team.needed = team.needed._replace(files=((str(tmp_path / "a.png"), 7),))
    with pytest.raises(CatalogError, match=r"does not see the image .*a\.png"):
        team.everywhere(named)
    team.refused.clear()
    (tmp_path / "a.png").write_bytes(b"1234567")
    assert len(team.everywhere(named)) == 2


def test_other_packages_are_told_of(
    team: Team, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    team.tell_versions()
    assert capsys.readouterr().err == ""
    found = {"w": surroundings(None) | {"torch": "1.0"}}
    monkeypatch.setattr(team, "everywhere", lambda _: found)
    team.tell_versions()
    assert "worker w has torch 1.0, and this process" in capsys.readouterr().err


def test_parts_are_tried_elsewhere_if_there_is_an_elsewhere(team: Team) -> None:
    one, other = team.everywhere(named)
    assert team.fit_for([]) is None
    assert team.fit_for([one]) == {other}
    assert team.fit_for([one, other]) is None
    team.refuse(one, "so")
    assert team.fit_for([]) == {other}
    assert team.fit_for([other]) == {other}


def test_who_stays_paused_is_left_out(
    team: Team, paused: Callable[[], str], capsys: pytest.CaptureFixture[str]
) -> None:
    worker = paused()
    assert len(team.everywhere(named)) == 1
    assert {*team.refused} == {worker}
    told = capsys.readouterr().err
    assert f"worker {worker} is left out: Dask has paused it for lack of memory" in told
    assert "give workers more, or ask for fewer" in told


def test_nobody_for_long_is_an_error(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty:
        status = "running"

        def nthreads(self) -> dict[str, int]:
            return {}

    alone = Team(Empty(), Scheduler("tcp://here:1", patience=0.2), Said())
    begun = time.monotonic()
    with pytest.raises(CatalogError, match="no worker came and stayed within 0 s"):
        alone.await_first()
    assert time.monotonic() - begun >= 0.2
    Empty.status = "closed"
    with pytest.raises(CatalogError, match=r"the scheduler is gone; .* the same command goes on"):
        alone.look()
