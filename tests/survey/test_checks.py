"""How the pieces of a survey lie together; `verify` and `status` of a survey."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.made.terminal import zoolens
from zoolens.catalog.errors import Told
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.checks import within
from zoolens.catalog.survey.folder import Piece, open_survey
from zoolens.jobs.histogram import suggest
from zoolens.jobs.status import status, survey_status
from zoolens.jobs.verify import verify


@pytest.fixture
def survey(full_survey: Path, tmp_path: Path) -> Path:
    return shutil.copytree(full_survey, tmp_path / "dr1")


def _found(folder: Path) -> dict[str, dict[str, object]]:
    return {row["check"]: row for row in verify(folder).checks.to_pylist()}


def _errors(folder: Path) -> dict[str, tuple[object, object]]:
    rows = _found(folder).values()
    return {
        str(row["check"]): (row["offending"], row["pieces"])
        for row in rows
        if row["result"] == "ERROR"
    }


@pytest.mark.slow
def test_a_sound_survey_has_the_checks_of_the_whole(full_gz: Path, full_survey: Path) -> None:
    whole = {row["check"]: row for row in verify(full_gz).checks.to_pylist()}
    found = _found(full_survey)
    assert not _errors(full_survey)
    own = {name for name in found if name.startswith("survey:")}
    assert len(own) >= 6
    for check in found.keys() - own:
        if check in whole and "asked of more" in check:
            assert found[check]["offending"] == whole[check]["offending"]
    assert whole.keys() <= found.keys()


@pytest.mark.slow
def test_what_is_wrong_names_the_piece(survey: Path) -> None:
    pieces = open_survey(survey).named
    first, second, third, missing = [*pieces][:4]
    with Store.open(pieces[first]) as store:
        store.execute("UPDATE vote SET count = -1 WHERE answer_id = 0")
        ((name, number),) = store.rows("SELECT iauname, galaxy_id FROM galaxy LIMIT 1")
    with Store.open(pieces[second]) as store:
        store.execute(
            "UPDATE galaxy SET iauname = ?, ra = 10 + ra WHERE galaxy_id = "
            "(SELECT min(galaxy_id) FROM galaxy)",
            [name],
        )
        store.execute("UPDATE galaxy SET dec = -dec - 1")
    with Store.open(pieces[third]) as store:
        store.execute(
            "INSERT INTO galaxy SELECT ?, 'another', ra, dec, run_id FROM galaxy LIMIT 1", [number]
        )
        store.execute("DELETE FROM answer WHERE answer_id > 2")
        store.execute("UPDATE setting SET value = 'small' WHERE name = 'tree'")
    pieces[missing].unlink()
    (survey / "Norder=7").mkdir()
    shutil.copyfile(pieces[first], survey / "Norder=7" / "Npix=0.duckdb")
    with pytest.warns(Told, match=f"{missing}.duckdb"):
        found = _found(survey)
    assert found["vote: counts that are negative or above their total"]["pieces"] == first
    for check, offending, named in (
        ("pieces that are missing or cannot be read", 1, missing),
        ("catalogues that survey.json does not list", 1, "Norder=7/Npix=0.duckdb"),
        ("pieces of several trees", 1, None),
        ("galaxies of one name in several pieces", 1, None),
        ("galaxies of one number in several pieces", 1, None),
    ):
        row = found[f"survey: {check}"]
        assert (row["offending"], row["pieces"]) == (offending, named)
    assert str(found["survey: galaxies outside their piece"]["pieces"]).startswith(second)


def test_positions_are_held_to_the_pixel_of_a_piece() -> None:
    ra, dec = np.array([45.0, 45.0, 225.0, 405.0, 45.0, np.nan]), np.array([40, -40, 40, 40, 99, 0])
    assert within(Piece(0, 0), ra, dec).tolist() == [True, False, False, True, False, False]
    assert within(Piece(0, 2), ra, dec).tolist() == [False, False, True, False, False, False]


@pytest.mark.slow
def test_a_status_adds_up(full_gz: Path, full_survey: Path) -> None:
    whole = {row["step"]: row for row in status(full_gz).steps.to_pylist()}
    report = survey_status(full_survey)
    assert (report.pieces, report.tree) == (len(open_survey(full_survey).pieces), "toy")
    for row in report.steps.to_pylist():
        for counted in ("galaxies", "of"):
            assert row[counted] == whole[row["step"]][counted]
        assert row["pieces"] == report.pieces


@pytest.mark.slow
def test_a_status_names_who_lags_behind(survey: Path) -> None:
    pieces = open_survey(survey).named
    lagging, missing = [*pieces][2:4]
    with Store.open(pieces[lagging]) as store:
        store.execute("UPDATE run SET status = 'running' WHERE job = 'score'")
    pieces[missing].unlink()
    report = survey_status(survey)
    step = {row["step"]: row for row in report.steps.to_pylist()}
    assert step["score"]["pieces"] == len(pieces) - 2
    assert step["predict"]["pieces"] == len(pieces) - 1
    assert step["predict"]["behind"] == missing
    assert any(f"{missing}.duckdb" in one for one in report.advice)
    assert any(one.startswith(f"{lagging}: score run 5 was interrupted") for one in report.advice)


@pytest.mark.slow
def test_what_is_alike_of_many_pieces_is_one_line(survey: Path) -> None:
    pieces = open_survey(survey).named
    names = [*pieces]
    for path in [*pieces.values()][:5]:
        with Store.open(path) as store:
            store.execute("DELETE FROM run WHERE job = 'score'")
    waiting = sum(
        row["of"]
        for path in [*pieces.values()][:5]
        for row in status(path).steps.to_pylist()
        if row["step"] == "score"
    )
    for path in [*pieces.values()][5:]:
        path.unlink()
    advice = survey_status(survey).advice
    (missing,) = [one for one in advice if "missing" in one]
    assert missing.startswith(f"{pieces[names[5]]}, a piece of the survey, is missing")
    assert missing.endswith(f" (likewise {len(pieces) - 6} pieces more)")
    said = f"5 pieces such as {names[0]}: {waiting} galaxies wait for: zoolens score"
    assert [one for one in advice if "wait" in one] == [said]
    lines = zoolens("status", "--catalog", survey).stdout.splitlines()
    assert lines[0].startswith(f"{survey}: {len(pieces)} pieces, tree toy")
    assert "step" in lines[1]


@pytest.mark.slow
def test_histograms_add_up(full_gz: Path, full_survey: Path) -> None:
    for fewest in (0, 12):
        assert suggest(full_survey, min_votes=fewest).equals(suggest(full_gz, min_votes=fewest))
