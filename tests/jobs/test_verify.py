import os
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import TOY, add_votes, catalogue, random_concentrations, random_counts
from zoolens.catalog.paths import index_path
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema
from zoolens.jobs.index import index
from zoolens.jobs.verify import VerifyReport, verify

pytestmark = pytest.mark.slow


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return catalogue(
        tmp_path / "gz.duckdb", random_counts(6), concentrations=random_concentrations(6)
    )


def _found(report: VerifyReport, result: str) -> dict[str, int]:
    rows = report.checks.to_pylist()
    return {row["check"]: row["offending"] for row in rows if row["result"] == result}


def test_a_sound_catalogue_has_no_errors(path: Path) -> None:
    report = verify(path)
    assert report.errors == 0
    assert len(report.checks) > 40


@pytest.mark.parametrize(
    ("damage", "check", "offending"),
    [
        (
            "INSERT INTO prediction SELECT * FROM prediction WHERE galaxy_id = 1",
            "prediction: rows that stand twice",
            10,
        ),
        ("DELETE FROM galaxy WHERE galaxy_id = 2", "vote: rows without a galaxy", 10),
        ("DELETE FROM run WHERE job = 'predict'", "posterior: rows without a run", 6),
        (
            "DELETE FROM prediction WHERE galaxy_id = 3 AND answer_id = 0",
            "prediction: galaxies without a row for each answer",
            1,
        ),
        (
            "DELETE FROM posterior WHERE galaxy_id = 3",
            "runs whose rows are not those of their shards",
            1,
        ),
        (
            "UPDATE posterior SET concentrations = '\\x00'::BLOB WHERE galaxy_id = 4",
            "posterior: blobs of the wrong size",
            1,
        ),
        (
            "UPDATE vote SET count = -1 WHERE galaxy_id = 5 AND answer_id = 1",
            "vote: counts that are negative or above their total",
            1,
        ),
        (
            "UPDATE vote SET count = 'nan' WHERE galaxy_id = 5 AND answer_id = 1",
            "vote: counts that are negative or above their total",
            1,
        ),
        (
            "UPDATE prediction SET fraction = 1.5 WHERE galaxy_id = 5 AND answer_id = 1",
            "prediction: fractions outside 0..1",
            1,
        ),
        (
            "INSERT INTO loss VALUES (2, 1, 3, 1, 0.5, 0.7, 10, 7, 0.7, 5);"
            "INSERT INTO galaxy_loss VALUES (2, 1, 0, 1, 0.5, 0.7, 6, 5)",
            "galaxy_loss: not the largest of its galaxy",
            1,
        ),
    ],
)
def test_damage_is_found(path: Path, damage: str, check: str, offending: int) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(damage)
    assert _found(verify(path), "ERROR")[check] == offending


def test_child_totals_above_their_parents_are_a_warning(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        # nobody said smooth, yet 7 volunteers were asked how round it is
        connection.execute("UPDATE vote SET count = 0 WHERE answer_id = 0")
        connection.execute("UPDATE vote SET total = 7 WHERE answer_id IN (3, 4) AND galaxy_id = 0")
        connection.execute("UPDATE vote SET total = 0 WHERE answer_id IN (3, 4) AND galaxy_id > 0")
        connection.execute("UPDATE vote SET count = 0 WHERE answer_id IN (3, 4)")
    report = verify(path)
    assert _found(report, "warning")["round: asked of more volunteers than lead to it"] == 1
    assert report.errors == 0


def test_images_that_changed_are_found(path: Path, tmp_path: Path) -> None:
    import hashlib

    files = [tmp_path / f"{number}.png" for number in range(3)]
    for file in files:
        file.write_bytes(file.name.encode())
    with duckdb.connect(str(path)) as connection:
        run_id = connection.execute("SELECT min(run_id) FROM run").fetchall()[0][0]
        for number, file in enumerate(files):
            connection.execute(
                "INSERT INTO image VALUES (?, ?, ?, NULL, 'PNG', 1, 1, ?)",
                [run_id, number, str(file), hashlib.sha256(file.read_bytes()).hexdigest()],
            )
        connection.execute('UPDATE shard SET "rows" = "rows" + 3 WHERE run_id = ?', [run_id])
    assert verify(path, images=True).errors == 0
    files[0].write_bytes(b"changed")
    files[1].unlink()
    assert _found(verify(path, images=True), "ERROR") == {
        "image files missing or changed since ingest": 2
    }
    assert verify(path).errors == 0, "images are only read when asked for"


def test_a_damaged_index_is_found_and_an_outdated_one_is_none(path: Path) -> None:
    index(path)
    assert verify(path).errors == 0
    file = index_path(path, "predicted")
    stamp = file.stat()
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole)
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # as if nothing had touched it
    report = verify(path)
    assert report.errors == 0, "the catalogue is sound"
    told = "similarity index: files to be made again by zoolens index"
    assert _found(report, "warning")[told] == 1
    with Store.open(path) as store:
        add_votes(store, random_counts(2))
    assert verify(path).errors == 0


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (
            "UPDATE posterior SET concentrations = repeat('\\xFF', octet_length(concentrations)"
            "::INT)::BLOB WHERE galaxy_id = 4",
            "posterior: samples that are not those of the predictions",
        ),
        (
            "UPDATE vote SET total = total + 1 WHERE galaxy_id = 1 AND answer_id = 1",
            "vote: questions with two totals, or more answers than that",
        ),
        (
            "UPDATE vote SET count = total WHERE galaxy_id = 0",
            "vote: questions with two totals, or more answers than that",
        ),
        (
            "UPDATE prediction SET fraction = 0.5 WHERE galaxy_id = 2",
            "prediction: fractions of a question that do not add up to 1",
        ),
        (
            "UPDATE vote SET answer_id = 77 WHERE galaxy_id = 1 AND answer_id = 9",
            "vote: rows of no answer of the tree",
        ),
        ("INSERT INTO run SELECT * FROM run WHERE run_id = 1", "run: rows that stand twice"),
    ],
)
def test_values_that_do_not_belong_together_are_found(path: Path, damage: str, check: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(damage)
    assert _found(verify(path), "ERROR")[check] >= 1


def test_an_altered_map_is_found(path: Path) -> None:
    tree = TOY
    maps = np.random.default_rng(0).normal(size=(10, 3, 3)).astype(np.float32)
    with Store.open(path) as store:
        run = store.begin("explain", {})
        store.commit(
            run,
            "one",
            {
                "saliency_map": pa.table(
                    {
                        "galaxy_id": pa.array([1] * 4, pa.int64()),
                        "question_id": pa.array(range(4), pa.int32()),
                        "answers": pa.array([len(q.answers) for q in tree.questions], pa.int32()),
                        "height": pa.array([3] * 4, pa.int32()),
                        "width": pa.array([3] * 4, pa.int32()),
                        "dtype": ["<f4"] * 4,
                        "mean": [maps[where].tobytes() for where in tree.slices],
                        "sd": [maps[where].tobytes() for where in tree.slices],
                    }
                ),
                "saliency_stat": pa.table(
                    {
                        "galaxy_id": pa.array([1] * 10, pa.int64()),
                        "answer_id": pa.array(range(10), pa.int32()),
                        "increase": np.clip(maps, 0, None).sum((1, 2)).astype(np.float64),
                        "decrease": np.clip(maps, None, 0).sum((1, 2)).astype(np.float64),
                        **{name: pa.array([0] * 10, pa.int32()) for name in ("peak_x", "peak_y")},
                        **{name: [0.5] * 10 for name in ("entropy", "centroid_offset")},
                        "on_target": [None] * 10,
                    },
                    schema=arrow_schema("saliency_stat"),
                ),
            },
        )
        store.finish(run)
    check = "saliency_map: maps that are not those of their statistics"
    assert check not in _found(verify(path), "ERROR")
    with duckdb.connect(str(path)) as connection:
        other = maps[tree.slices[1]] * 1.01
        connection.execute(
            "UPDATE saliency_map SET mean = ? WHERE question_id = 1", [other.tobytes()]
        )
    assert _found(verify(path), "ERROR")[check] == 1


def test_what_to_do_depends_on_what_failed(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "INSERT INTO image BY NAME SELECT 1 AS run_id, 1 AS galaxy_id, 'no.png' AS source, "
            "'PNG' AS format, 9 AS height, 9 AS width, 'ff' AS sha256"
        )
        connection.execute("UPDATE shard SET rows = rows + 1 WHERE run_id = 1")
    report = verify(path, images=True)
    assert report.errors == 1
    assert "ingest them again" in report.advice
