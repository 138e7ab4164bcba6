"""The campaigns in their short form: what `make reliability` does at length."""

from pathlib import Path

import pytest

from reliability.campaigns import FULL, JOBS, SHORT, cases_of, named, run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what the campaigns share is made once."""
    return tmp_path_factory.mktemp("world")


@pytest.mark.slow
@pytest.mark.parametrize("campaign", SHORT)
def test_a_short_campaign_ends_without_a_failure(
    campaign: str, world: Path, tmp_path: Path
) -> None:
    cases = cases_of(campaign, SHORT[campaign], 7, short=True)
    tally = run(campaign, cases, world, tmp_path / "failures")
    assert tally.failures == []
    assert tally.events >= SHORT[campaign] / 2
    assert not (tmp_path / "failures").exists()


def test_cases_are_shared_out_and_found_again_by_name() -> None:
    cases = cases_of("inputs", FULL["inputs"], 1)
    assert {case.job for case in cases} == {*JOBS["inputs"]}
    assert 5000 < len(cases) < 7000
    assert named(cases[77].name, 1) == cases[77]
    kills = cases_of("kills", FULL["kills"], 1)
    assert {case.job for case in kills} == {*JOBS["kills"]}


@pytest.mark.parametrize("name", ["kills", "kills/none/0", "kills/score/x", "other/score/0"])
def test_a_name_that_no_case_has_is_said(name: str) -> None:
    with pytest.raises(SystemExit, match="no case"):
        named(name, 1)
