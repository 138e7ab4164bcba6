"""The pieces of a survey under one job."""

import shutil
from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError, NothingHere
from zoolens.catalog.survey.folder import open_survey
from zoolens.jobs.pieces import Pieces
from zoolens.jobs.reports import PredictReport

pytestmark = pytest.mark.slow


def test_a_piece_that_is_missing_keeps_none_from_the_work(
    full_survey: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(full_survey, tmp_path / "dr1")
    paths = open_survey(folder).paths
    paths[1].unlink()
    pieces = Pieces.of(folder)
    assert [*pieces.standing] == [*paths[:1], *paths[2:]]
    assert pieces.sizes("galaxies")[1] == 0
    assert sum(pieces.sizes("galaxies")) > 0
    with pytest.raises(CatalogError, match="a piece of the survey, is missing"):
        pieces.check_readable()

    def work(path: Path) -> PredictReport:
        return PredictReport(1, 2, 2, 0, 30, (), True)

    report = pieces.report(work, "working", "galaxies")
    assert (report.done, report.pieces) == (len(paths) - 1, len(paths))
    assert report.whole.galaxies == 2 * (len(paths) - 1)
    (fault,) = report.hindered
    assert fault.startswith(f"{paths[1]}, a piece")


def test_a_job_that_does_nothing_anywhere_says_why(full_survey: Path) -> None:
    def none(path: Path) -> PredictReport:
        raise NothingHere(f"{path} has no image")

    with pytest.raises(NothingHere, match=r"no piece of .*dr1 has what this needs: .*no image"):
        Pieces.of(full_survey).report(none, "working", "galaxies")
