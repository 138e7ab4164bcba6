"""Losses of a training as a table and a figure."""

import csv
from pathlib import Path

import pytest

from zoolens.catalog.training.curve import COLUMNS, best_of, draw_losses, write_losses


def epochs(*validation: float) -> list[dict[str, float]]:
    """One epoch for each validation loss."""
    return [
        dict(zip(COLUMNS, (number, 2 * loss, loss, 1e-3 / number, 12.5), strict=True))
        for number, loss in enumerate(validation, start=1)
    ]


def test_losses_are_a_table_with_a_row_an_epoch(tmp_path: Path) -> None:
    write_losses(epochs(5, 4.25, 4.5), tmp_path / "losses.csv")
    with (tmp_path / "losses.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [float(row["training_loss"]) for row in rows] == [10, 8.5, 9]
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([1e-3, 5e-4, 3.33333e-4])
    assert rows[1]["epoch"] == "2"


def test_the_best_epoch_is_the_first_of_the_lowest() -> None:
    assert best_of(epochs(5, 4, 4.5, 4))["epoch"] == 2


@pytest.mark.parametrize("validation", [(5.0,), tuple(range(60, 10, -1))])
def test_both_losses_are_drawn_with_the_best_epoch_named(
    tmp_path: Path, validation: tuple[float, ...]
) -> None:
    png, pdf = draw_losses(epochs(*validation), tmp_path / "losses")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.name == "losses.pdf"
    drawn = png.read_bytes()
    draw_losses(epochs(*validation, 1.0), tmp_path / "losses")
    assert png.read_bytes() != drawn
