"""The folder of a survey."""

from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.survey.folder import (
    Piece,
    catalogues,
    is_survey,
    open_survey,
    write_survey,
)

PIECES = [Piece(1, 5), Piece(2, 37), Piece(0, 7)]


def test_pieces_come_back_in_their_order(tmp_path: Path) -> None:
    assert not is_survey(tmp_path)
    assert catalogues(tmp_path / "gz.duckdb") == [tmp_path / "gz.duckdb"]
    written = write_survey(tmp_path, PIECES)
    assert open_survey(tmp_path) == written
    assert catalogues(tmp_path)[1] == tmp_path / "Norder=2" / "Npix=37.duckdb"
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
