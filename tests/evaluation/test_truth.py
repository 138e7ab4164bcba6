from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.made.catalogues import TOY, catalogue, random_concentrations, random_counts
from tests.made.vote_tables import text_of_bytes
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.evaluation.truth import judge, read_truth
from zoolens.catalog.sky.truth import encode_mask
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score
from zoolens.jobs.worst import worst

LABELS = TOY.labels


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(8), concentrations=random_concentrations(8)
    )
    score(path)
    return path


def _truth(path: Path, file: Path, probability: float) -> Path:
    columns: dict[str, list[object]] = {"iauname": [f"G{number:04d}" for number in range(8)]}
    columns |= {f"{label}_probability": [probability] * 8 for label in LABELS}
    columns |= {f"{label}_errors": list(range(8)) for label in LABELS}
    parquet.write_table(pa.table(columns), file)
    return file


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_who_is_nearer_to_the_truth(path: Path, tmp_path: Path, probability: float) -> None:
    with Store.open(path, read_only=True) as store:
        judged = judge(store, _truth(path, tmp_path / "truth.parquet", probability)).to_pylist()
    assert [row["iauname"] for row in judged] == worst(path, min_votes=0)["iauname"].to_pylist()
    for row in judged:
        votes, model = (abs(row[who] - probability) for who in ("observed", "predicted"))
        assert row["nearer"] == ("votes" if votes < model else "model")
        answers = len(
            [label for label in LABELS if label.split("_")[0] == row["label"].split("_")[0]]
        )
        assert (row["truth"], row["errors"]) == (probability, answers * int(row["iauname"][1:]))
    assert {row["nearer"] for row in judged} == {"votes", "model"}


def test_the_truth_of_another_sky_is_refused(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    parquet.write_table(pa.table({"iauname": ["J1"]}), other)
    with Store.open(path, read_only=True) as store:
        with pytest.raises(TableRefused, match="truth"):
            judge(store, other)
        other.write_bytes(b"PAR1")
        with pytest.raises(TableRefused, match="is no truth of a sky"):
            judge(store, other)


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
    with pytest.raises(TableRefused, match="no truth of a sky"):
        read_truth(tmp_path / "none.parquet", [], TOY)


@pytest.mark.parametrize("column", ["iauname", "smooth"])
def test_what_is_not_utf8_or_no_number_is_refused(tmp_path: Path, column: str) -> None:
    wanted: dict[str, pa.Array] = {"iauname": pa.array(["J1", "J2"])}
    for label in TOY.labels:
        wanted[f"{label}_probability"] = pa.array([0.5, 0.5])
        wanted[f"{label}_errors"] = pa.array([0, 0])
    bad = "iauname" if column == "iauname" else f"{TOY.labels[0]}_probability"
    wanted[bad] = text_of_bytes(b"J1", b"J\xe9")
    path = tmp_path / "truth.parquet"
    parquet.write_table(pa.table(wanted), path)
    with pytest.raises(TableRefused, match=f"row 2, column {bad}: not UTF-8 text"):
        read_truth(path, ["J1"], TOY)
