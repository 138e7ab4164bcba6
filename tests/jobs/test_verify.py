import os
from pathlib import Path

import duckdb
import pytest

from tests.made.catalogues import add_votes, catalogue, random_concentrations, random_counts
from tests.made.terminal import zoolens
from zoolens.catalog.paths import index_path
from zoolens.catalog.runtime.files import part_checksums
from zoolens.catalog.store.store import Store
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
    part_checksums.cache_clear()  # as in another process
    report = verify(path)
    told = "similarity index: files that are not as they were written"
    assert _found(report, "ERROR") == {told: 1}
    assert report.advice == "the similarity index is damaged; build it again with: zoolens index"
    result = zoolens("verify", "--catalog", path)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    file.unlink()
    report = verify(path)
    assert report.errors == 0, "a missing file is made again"
    told = "similarity index: files to be made again by zoolens index"
    assert _found(report, "warning")[told] == 1
    with Store.open(path) as store:
        add_votes(store, random_counts(2))
    assert verify(path).errors == 0


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


def test_faults_of_every_kind_are_errors(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM galaxy WHERE galaxy_id = 2")
        connection.execute("UPDATE prediction SET concentration = 1 WHERE galaxy_id = 4")
    report = verify(path)
    found = _found(report, "ERROR")
    assert found["vote: rows without a galaxy"] == 10
    assert found["posterior: samples that are not those of the predictions"] == 1
    assert report.errors == len(found)
    assert report.advice == "restore the catalogue from a copy"
