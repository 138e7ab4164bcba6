"""What all figures share: names fit for print, and files that are whole."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.figures import COLOURS, save, shown


def drawn() -> Figure:
    figure = Figure(figsize=(1, 0.5))
    figure.text(0.1, 0.5, "$x_")  # no mathematics
    return figure


def test_both_files_are_the_same_each_time(tmp_path: Path) -> None:
    png, pdf = save(drawn(), tmp_path / "J1.5+2_round", dpi=80)
    assert (png.name, pdf.name) == ("J1.5+2_round.png", "J1.5+2_round.pdf")
    with Image.open(png) as image:
        assert image.size == (80, 40)
    assert pdf.read_bytes().startswith(b"%PDF")
    again = save(drawn(), tmp_path / "again", dpi=80)
    assert [path.read_bytes() for path in again] == [png.read_bytes(), pdf.read_bytes()]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="could not be written"):
        save(drawn(), tmp_path / "nowhere" / "figure", dpi=40)


def test_names_are_printable_and_end() -> None:
    assert shown("J000.00", 60) == "J000.00"
    assert shown("a\x1bb\n", 60) == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
    assert shown("x" * 9, 9) == "x" * 9
    assert shown("x" * 10, 9) == "x" * 8 + "…"


def test_no_effect_is_white_and_signs_are_blue_and_red() -> None:
    assert COLOURS(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)
    lowers, raises = COLOURS(0.0), COLOURS(1.0)
    assert lowers[2] > lowers[0]
    assert raises[0] > raises[2]
