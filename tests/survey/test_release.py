"""The release of a survey, beside that of the one catalogue that it was cut from."""

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.made.catalogues import TOY
from tests.made.placed import PIECES, place, survey_of
from tests.made.releases import EVERYTHING, TITLE, N, full_catalogue
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.outdated import MADE
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import Piece, open_survey
from zoolens.catalog.survey.selection import check_scored
from zoolens.jobs.index import index
from zoolens.jobs.release import release
from zoolens.jobs.release_diff import diff
from zoolens.jobs.release_verify import verify
from zoolens.jobs.settings import Cut
from zoolens.jobs.worst import worst

pytestmark = pytest.mark.slow

FIRST_THIRD = f"SELECT galaxy_id FROM galaxy ORDER BY galaxy_id LIMIT {-(-N // 3)}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = full_catalogue(tmp_path_factory.mktemp("whole") / "gz.duckdb")
    place(path)
    return path


@pytest.fixture(scope="module")
def survey(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return survey_of(whole, tmp_path_factory.mktemp("survey") / "pieces")


@pytest.fixture(scope="module")
def both(whole: Path, survey: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Releases of the catalogue and of the survey, in all formats."""
    folder = tmp_path_factory.mktemp("both")
    for number, catalog in enumerate((whole, survey)):
        release(catalog, folder / str(number), TITLE, EVERYTHING)
    return [folder / "0", folder / "1"]


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "hats" not in path.relative_to(folder).parts
    )


def test_every_file_is_that_of_the_whole_catalogue(both: list[Path]) -> None:
    whole, survey = both
    assert files(whole) == files(survey)
    provenance = {"README.md", "release.json", "croissant.json", "SHA256SUMS"}
    for name in {*files(whole)} - provenance:
        if name.endswith(".parquet"):  # in other row groups
            assert pq.read_table(survey / name).equals(pq.read_table(whole / name)), name
            assert pq.read_schema(survey / name).equals(
                pq.read_schema(whole / name), check_metadata=True
            )
        else:
            assert (survey / name).read_bytes() == (whole / name).read_bytes(), name


def test_hats_is_partitioned_within_the_pieces(both: list[Path]) -> None:
    rows = []
    for folder in both:
        parts = sorted((folder / "hats/dataset").rglob("Npix=*.parquet"))
        rows.append(pd.concat(map(pd.read_parquet, parts)).sort_values("_healpix_29"))
    assert rows[0].reset_index(drop=True).equals(rows[1].reset_index(drop=True))
    where = {part.relative_to(both[1] / "hats/dataset").as_posix() for part in parts}
    assert where == {f"Norder={p.order}/Dir=0/Npix={p.pixel}.parquet" for p in PIECES}
    for name in ("point_map.fits", "skymap.fits"):
        assert (both[0] / "hats" / name).read_bytes() == (both[1] / "hats" / name).read_bytes()


def test_it_is_verified_and_differs_in_nothing(both: list[Path]) -> None:
    assert not len(verify(both[1]).faults)
    assert not len(diff(*both, galaxies=True).table)


def test_runs_that_all_pieces_have_are_told_once(both: list[Path]) -> None:
    facts = [json.loads((folder / "release.json").read_text()) for folder in both]
    assert facts[1].pop("pieces") == ["Norder=0/Npix=8", "Norder=1/Npix=17", "Norder=2/Npix=3"]
    assert facts[0] == facts[1]


def test_the_same_survey_gives_the_same_bytes(
    survey: Path, both: list[Path], tmp_path: Path
) -> None:
    release(survey, tmp_path / "again", TITLE, EVERYTHING)
    sums = [(folder / "SHA256SUMS").read_text() for folder in (both[1], tmp_path / "again")]
    assert sums[0] == sums[1]


@pytest.mark.parametrize(
    "some",
    [
        {"min_votes": 20, "where": "dec < 0"},  # nothing is left of a piece
        {"columns": ["rank", "predicted_counterpart"]},
    ],
)
def test_choices_are_those_of_the_whole(
    whole: Path, survey: Path, tmp_path: Path, some: dict[str, Any]
) -> None:
    cut = replace(EVERYTHING, formats=["hats", "csv"] if "columns" not in some else [], **some)
    for number, catalog in enumerate((whole, survey)):
        release(catalog, tmp_path / str(number), TITLE, cut)
    assert files(tmp_path / "0") == files(tmp_path / "1")
    for name in files(tmp_path / "0"):
        if name.endswith((".parquet", ".fits", ".csv", ".html", ".jpg", ".png")):
            one, other = (tmp_path / number / name for number in "01")
            if name.endswith(".parquet"):
                assert pq.read_table(one).equals(pq.read_table(other)), name
            else:
                assert one.read_bytes() == other.read_bytes(), name
    assert not len(verify(tmp_path / "1").faults)


def copied(survey: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(survey, tmp_path / "survey"))


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE run SET model_sha256 = 'ff' WHERE job = 'predict'",
            "not as those of .*differ in model",
        ),
        (
            'UPDATE run SET config = json_merge_patch(config, \'{"weights": {"round_yes": 7}}\') '
            "WHERE job = 'score'",
            "losses of .* not as those of .*Npix=8, which differ in weights",
        ),
        ("UPDATE run SET status = 'running' WHERE job = 'score'", "no complete score run"),
        ("UPDATE run SET status = 'running' WHERE job = 'predict'", "do not show; do: zoolens"),
        (
            "UPDATE setting SET value = 'other' WHERE name = 'tree'",
            "is of tree toy, but Norder=1/Npix=17 of other",
        ),
        (
            "INSERT INTO outdated SELECT run_id, galaxy_id, NULL FROM loss WHERE answer_id = 0",
            "not ready for a release",
        ),
    ],
)
def test_pieces_that_disagree_or_lag_are_named(
    survey: Path, tmp_path: Path, statement: str, words: str
) -> None:
    pieces = copied(survey, tmp_path)
    with Store.open(PIECES[1].path(pieces)) as store:
        store.execute(statement)
    with pytest.raises(CatalogError, match=words) as caught:
        release(pieces, tmp_path / "out", TITLE)
    assert "Npix=17" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def bare(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A catalogue whose first third has votes alone, and the survey whose first piece has so."""
    folder = tmp_path_factory.mktemp("bare")
    path = Path(shutil.copyfile(whole, folder / "gz.duckdb"))
    pieces = survey_of(path, folder / "pieces")
    first = PIECES[0].path(pieces)
    for some in (path, first):
        with Store.open(some) as store:
            for table in (table for job in ("predict", "score", "explain") for table in MADE[job]):
                store.execute(f"DELETE FROM {table} WHERE galaxy_id IN ({FIRST_THIRD})")
    with Store.open(first) as store:
        store.execute("DELETE FROM run WHERE job NOT IN ('ingest', 'keep')")
    index(path)
    return [path, pieces]


def test_a_piece_in_which_nothing_waits_is_released(bare: list[Path], tmp_path: Path) -> None:
    for number, catalog in enumerate(bare):
        report = release(catalog, tmp_path / str(number), TITLE, EVERYTHING)
    assert any(one.startswith("without predictions: Norder=0/Npix=8 of 3") for one in report.notes)
    whole, survey = tmp_path / "0", tmp_path / "1"
    assert files(whole) == files(survey)
    for name in (name for name in files(whole) if name.endswith(".parquet")):
        assert pq.read_table(survey / name).equals(pq.read_table(whole / name)), name
    held = pq.read_table(whole / "galaxies.parquet")
    assert 0 < held["rank"].null_count < len(held)


def test_a_piece_in_which_nothing_waits_is_ranked_without_a_word(bare: list[Path]) -> None:
    whole, survey = bare
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert worst(survey, limit=50, min_votes=0).equals(worst(whole, limit=50, min_votes=0))
    for by in ("loss", "mutual_information"):
        found = check_scored(open_survey(survey).named, by, survey)
        assert found == TOY


def test_a_piece_without_maps_is_told(survey: Path, tmp_path: Path) -> None:
    pieces = copied(survey, tmp_path)
    with Store.open(PIECES[1].path(pieces)) as store:
        store.execute("UPDATE run SET status = 'running' WHERE job = 'explain'")
    report = release(pieces, tmp_path / "out", TITLE, Cut(formats=[]))
    assert "without saliency maps: Norder=1/Npix=17 of 3 pieces" in report.notes
    runs = json.loads((tmp_path / "out/release.json").read_text())["runs"]
    (explained,) = [run for run in runs if run["job"] == "explain"]
    assert explained["pieces"] == ["Norder=0/Npix=8", "Norder=2/Npix=3"]


def test_a_galaxy_outside_of_its_piece_is_named(survey: Path, tmp_path: Path) -> None:
    pieces = copied(survey, tmp_path)
    with Store.open(PIECES[1].path(pieces)) as store:
        store.execute("UPDATE galaxy SET dec = -89 WHERE iauname = 'J000012.00+000012.0'")
    with pytest.raises(CatalogError, match=r"J000012.*outside of pixel 17 of order 1"):
        release(pieces, tmp_path / "out", TITLE, Cut(formats=["hats"]))
    assert not (tmp_path / "out").exists()


def test_a_missing_piece_is_named(survey: Path, tmp_path: Path) -> None:
    pieces = copied(survey, tmp_path)
    Piece(2, 3).path(pieces).unlink()
    with pytest.raises(CatalogError, match=r"Npix=3\.duckdb, a piece of the survey, is missing"):
        release(pieces, tmp_path / "out", TITLE)
