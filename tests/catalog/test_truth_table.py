from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from catalog.errors import TableRefused
from catalog.truth import encode_mask
from catalog.truth_table import read_truth
from tests.catalogues import TOY

BAR = np.eye(8, dtype=bool)
DISC = np.ones((8, 8), bool)


def _file(folder: Path, **changes: object) -> Path:
    columns: dict[str, object] = {"iauname": ["A", "B", "C"], "size": [8, 8, 8]}
    for place, label in enumerate(TOY.labels):
        columns[f"{label}_probability"] = [0.1, 0.2, place / 100]
        columns[f"{label}_errors"] = [0, place, 2]
    columns["mask_bar"] = [encode_mask(BAR), None, b"no mask"]
    columns["mask_disc"] = [encode_mask(DISC), encode_mask(~DISC), None]
    file = folder / "truth.parquet"
    parquet.write_table(pa.table({**columns, **changes}), file)
    return file


def test_in_the_order_asked_for(tmp_path: Path) -> None:
    truth = read_truth(_file(tmp_path), ["C", "A"], TOY)
    assert truth.probabilities[0].tolist() == [place / 100 for place in range(len(TOY.labels))]
    assert (truth.probabilities[1] == 0.1).all()
    assert truth.errors[0].tolist() == [2] * len(TOY.labels)


def test_masks_of_several_features_are_joined(tmp_path: Path) -> None:
    truth = read_truth(_file(tmp_path), ["A", "B"], TOY, ("bar", "disc"))
    assert np.array_equal(truth.mask(0, ("bar",)), BAR)  # type: ignore[arg-type]
    assert np.array_equal(truth.mask(0, ("bar", "disc")), DISC)  # type: ignore[arg-type]
    assert truth.mask(1, ("bar",)) is None
    assert truth.mask(1, ("disc",)) is None  # there, but not in the picture


def test_a_damaged_mask_is_named(tmp_path: Path) -> None:
    truth = read_truth(_file(tmp_path), ["C"], TOY, ("bar",))
    with pytest.raises(TableRefused, match=r"mask_bar of C is damaged"):
        truth.mask(0, ("bar",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iauname": ["A", "X", "Y"]}, "of another sky: it lacks B"),
        ({"size": [8, 9, 8]}, "no common size"),
        ({"size": [10**6] * 3}, "no common size"),
        ({f"{TOY.labels[0]}_probability": [0.1, 7.0, 0.1]}, "not within 0..1"),
        ({f"{TOY.labels[0]}_probability": [0.1, None, 0.1]}, "not within 0..1"),
        ({f"{TOY.labels[0]}_probability": ["a", "b", "c"]}, "is no truth of a sky"),
    ],
)
def test_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(TableRefused, match=message):
        read_truth(_file(tmp_path, **changes), ["A", "B"], TOY, ("bar",))


def test_a_mask_that_the_file_lacks(tmp_path: Path) -> None:
    with pytest.raises(TableRefused, match="lacks mask_arms"):
        read_truth(_file(tmp_path), ["A"], TOY, ("arms",))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TableRefused, match="is no truth of a sky"):
        read_truth(tmp_path / "none.parquet", [], TOY)
