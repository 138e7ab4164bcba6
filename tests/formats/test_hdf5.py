"""Zoobot's HDF5 files are read as they are, and others are refused before they are read."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pytest
from zoobot.shared.save_predictions import predictions_to_hdf5

from tests.made.vote_tables import read_table
from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats import hdf5, reading
from zoolens.catalog.formats.reading import TableFile

LABELS = ["bar-dr5_strong", "bar-dr5_no"]
NAMES = ["J1", "J 2", "Jü3"]
VALUES = np.arange(1, 13, dtype=np.float32).reshape(3, 2, 2)


def zoobot_file(path: Path, values: Any = VALUES) -> Path:
    predictions_to_hdf5(values, NAMES, LABELS, str(path))
    return path


def other(path: Path, **changes: Any) -> Path:
    """Zoobot's datasets with some made otherwise: values, or arguments of `create_dataset`."""
    given: dict[str, Any] = {
        "id_str": {"data": NAMES},
        "label_cols": {"data": LABELS},
        "predictions": {"data": VALUES},
    }
    with h5py.File(path, "w") as file:
        for name, arguments in (given | changes).items():
            if arguments is not None:
                file.create_dataset(name, **arguments)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(TableRefused) as caught:
        read_table(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_samples_come_as_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_ROWS", 2)  # of a block
    read = read_table(zoobot_file(tmp_path / "p.hdf5"))
    assert read["id_str"].to_pylist() == NAMES
    for k, label in enumerate(LABELS):
        assert read[f"{label}_pred"].to_pylist() == VALUES[:, k].tolist()


@pytest.mark.parametrize("values", [VALUES[..., :1], VALUES[..., 0]])
def test_one_pass_gives_numbers(tmp_path: Path, values: Any) -> None:
    read = read_table(zoobot_file(tmp_path / "p.hdf5", values))
    assert read["bar-dr5_no_pred"].to_pylist() == VALUES[:, 1, 0].tolist()
    assert pa.types.is_float32(read.schema.field("bar-dr5_no_pred").type)


@pytest.mark.parametrize(
    "ids",
    [
        {"data": [11, 12, 587722981741363323]},
        {"data": np.array([b"11", b"12", b"587722981741363323"])},
        {"data": ["11", "12", "587722981741363323"], "chunks": (2,)},
    ],
)
def test_identifiers_of_any_kind_are_exact(
    tmp_path: Path, ids: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_ROWS", 2)
    read = read_table(other(tmp_path / "p.h5", id_str=ids))
    assert read["id_str"].to_pylist() == ["11", "12", "587722981741363323"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"id_str": None}, "no dataset 'id_str'"),
        ({"id_str": {"data": NAMES[:2]}}, r"shape (3, 2, 2) for 2 galaxies and 2 answers"),
        ({"predictions": {"data": VALUES.astype(int)}}, "stores predictions as int64"),
        ({"predictions": {"data": VALUES, "compression": "lzf"}}, "a filter that is not read"),
        (
            {"predictions": {"shape": (3, 2, 2), "dtype": "f4", "chunks": (1, 2, 2)}},
            "and holds none",
        ),
        ({"id_str": {"data": NAMES, "compression": "gzip"}}, "compresses /id_str"),
        ({"label_cols": {"data": [[b"a", b"b"]]}}, "label_cols of shape (1, 2)"),
        ({"id_str": {"data": np.array([b"\xff", b"a", b"b"])}}, "not UTF-8 text"),
        ({"id_str": {"data": np.ones(3)}}, "which is no text"),
        ({"label_cols": {"data": ["bar_no", "bar_no"]}}, "two columns named 'bar_no_pred'"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    assert told in refusal(other(tmp_path / "p.hdf5", **changes))


def test_nothing_outside_the_file_is_read(tmp_path: Path) -> None:
    zoobot_file(tmp_path / "secret.hdf5")
    path = other(tmp_path / "p.hdf5", predictions=None)
    with h5py.File(path, "a") as file:
        file["predictions"] = h5py.ExternalLink("secret.hdf5", "predictions")
    assert "keeps predictions outside" in refusal(path)
    raw = other(tmp_path / "raw.hdf5", predictions=None)
    with h5py.File(raw, "a") as file:
        place = [(str(tmp_path / "secret.hdf5"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("predictions", (3, 2, 2), "f4", external=place)
    assert "keeps predictions outside" in refusal(raw)


def test_text_that_would_fill_the_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5, "MOST_BLOCK_BYTES", 1000)
    path = other(tmp_path / "p.hdf5", id_str={"data": ["J1", "J" * 999, "J3"]})
    assert "too long a text" in refusal(path)


def test_a_huge_chunk_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5, "MOST_BLOCK_BYTES", 100)
    values = {"data": np.ones((50, 2, 2)), "chunks": (50, 2, 2), "compression": "gzip"}
    ids = {"data": [f"J{i}" for i in range(50)]}
    assert "in pieces of" in refusal(other(tmp_path / "p.hdf5", predictions=values, id_str=ids))


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = zoobot_file(tmp_path / "p.hdf5")
    path.write_bytes(path.read_bytes()[:-500])
    assert "cannot be read as a table" in refusal(path)
    assert TableFile(zoobot_file(tmp_path / "p.hdf5")).schema.names[0] == "id_str"
