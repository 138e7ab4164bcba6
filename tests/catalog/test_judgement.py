from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from catalog.errors import TableRefused
from catalog.judgement import judge
from catalog.store import Store
from jobs.score import score
from jobs.worst import worst
from tests.catalogues import TOY, catalogue, random_concentrations, random_counts

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
    assert [row["iauname"] for row in judged] == worst(path)["iauname"].to_pylist()
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
