"""The folder of a survey."""

from pathlib import Path

import numpy as np
import pytest

from zoolens.catalog.errors import CatalogError, Told
from zoolens.catalog.store.galaxies import check_is, number_after, number_galaxies
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import (
    Piece,
    catalogues,
    is_survey,
    open_survey,
    write_survey,
)

from ..made.catalogues import blank

PIECES = [Piece(1, 5), Piece(2, 37), Piece(0, 7)]


def test_pieces_come_back_in_their_order(tmp_path: Path) -> None:
    assert not is_survey(tmp_path)
    assert catalogues(tmp_path / "gz.duckdb") == [tmp_path / "gz.duckdb"]
    written = write_survey(tmp_path, PIECES)
    assert open_survey(tmp_path) == written
    assert open_survey(tmp_path).paths[1] == tmp_path / "Norder=2" / "Npix=37.duckdb"
    missing = r"Norder=1/Npix=5.duckdb, a piece of the survey, is missing"
    with pytest.raises(CatalogError, match=missing):
        catalogues(tmp_path)
    assert [written.first_number(one) for one in PIECES] == [0, 2**32, 2**33]


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([], "no piece"),
        ([Piece(0, 12)], "which is none"),
        ([Piece(14, 0)], "which is none"),
        ([Piece(0, 7), Piece(2, 7 * 16 + 3)], "overlap"),
        ([Piece(0, 7), Piece(0, 7)], "overlap|twice"),
    ],
)
def test_pieces_that_cannot_be_are_refused(tmp_path: Path, pieces: list[Piece], words: str) -> None:
    with pytest.raises(CatalogError, match=words):
        write_survey(tmp_path, pieces)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1, "pieces": [{"order": "x"}]}', "[" * 100_000]
)
def test_a_damaged_list_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "survey.json").write_text(text)
    with pytest.raises(CatalogError, match="damaged"):
        open_survey(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "survey.json").write_text('{"format": 2, "pieces": []}')
    with pytest.raises(CatalogError, match="format 2"):
        open_survey(tmp_path)


@pytest.mark.slow
def test_pieces_together_hold_what_the_whole_holds(full_gz: Path, full_survey: Path) -> None:
    assert len(open_survey(full_survey).pieces) > 3
    for view in ("galaxies", "votes", "predictions", "losses", "saliency"):
        counts = []
        for path in [full_gz, *catalogues(full_survey)]:
            with Store.open(path, read_only=True) as store:
                counts.append(store.value(f"SELECT count(*) FROM {view}"))
        assert counts[0] == sum(counts[1:])


def test_a_copy_in_the_place_of_another_piece_is_refused(tmp_path: Path) -> None:
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        check_is(store, "Norder=0/Npix=7")  # one that was made otherwise
        number_after(store, 0, "Norder=0/Npix=7")
        check_is(store, "Norder=0/Npix=7")
        with pytest.raises(CatalogError, match=r"copy of another piece, Norder=0/Npix=7, in the"):
            check_is(store, "Norder=0/Npix=8")


def test_catalogues_that_are_not_listed_are_said(tmp_path: Path) -> None:
    folder = write_survey(tmp_path, [Piece(0, 3)]).folder
    for pixel in (3, 4):
        path = Piece(0, pixel).path(folder)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with pytest.warns(Told, match=r"does not list 1 catalogues that lie there, .*Npix=4\.duckdb"):
        assert catalogues(folder) == [Piece(0, 3).path(folder)]


def test_galaxies_of_a_piece_follow_its_number(tmp_path: Path) -> None:
    unknown = np.full(2, np.nan)
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        assert number_galaxies(store, ["A", "B"], unknown, unknown).galaxy_id.tolist() == [1, 2]
        number_after(store, 2**32)
        numbered = number_galaxies(store, ["A", "B"], unknown, unknown)
        assert numbered.galaxy_id.tolist() == [2**32 + 1, 2**32 + 2]
