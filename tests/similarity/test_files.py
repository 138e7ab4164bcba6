"""Index files: the same bytes each time, and never searched where they have changed."""

import contextlib
import hashlib
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import (
    TOY,
    add_predictions,
    add_votes,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.paths import index_path
from zoolens.catalog.runtime.files import part_checksums
from zoolens.catalog.similarity.exact import SimilarityIndex, make_block, observed_candidates
from zoolens.catalog.similarity.files import (
    KINDS,
    built_from,
    damaged_files,
    load_codes,
    load_index,
    recorded_codes,
    sound_files,
    write_index,
)
from zoolens.catalog.store.beside import note_file
from zoolens.catalog.store.store import Store
from zoolens.jobs.index import index
from zoolens.jobs.verify import verify

N, A = 20, len(TOY.labels)


@pytest.fixture
def gz(tmp_path: Path) -> Path:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(N), concentrations=random_concentrations(N)
    )
    index(path)
    return path


def test_an_index_comes_back_as_it_was_written(gz: Path) -> None:
    candidates = observed_candidates(random_counts(N), TOY)
    ids = np.arange(N)
    blocks = [
        make_block(TOY, ids[:13], candidates[:13]),
        make_block(TOY, ids[13:], candidates[13:]),
    ]
    file = index_path(gz, "observed")
    before = file.read_bytes()
    assert write_index(gz, "observed", blocks) == hashlib.sha256(file.read_bytes()).hexdigest()
    again = [make_block(TOY, ids[:13], candidates[:13]), make_block(TOY, ids[13:], candidates[13:])]
    first = file.read_bytes()
    write_index(gz, "observed", iter(again))
    assert file.read_bytes() == first
    file.write_bytes(before)
    memory = SimilarityIndex(TOY, [make_block(TOY, ids, candidates)])
    with Store.open(gz, read_only=True) as store:
        stored = load_index(store, "observed")
        assert load_index(store, "observed") is stored  # kept for the next call
    assert len(stored) == N
    for galaxy in range(N):
        query, weights = candidates[galaxy], np.arange(1.0, A + 1)
        for found, expected in zip(
            stored.search(query, weights, 5), memory.search(query, weights, 5), strict=True
        ):
            np.testing.assert_array_equal(found, expected)


def test_a_run_records_what_it_was_built_from(gz: Path) -> None:
    with Store.open(gz) as store:
        before = built_from(store)
        assert built_from(store) == before
        assert store.run(store.newest_run("index")).config["built_from"] == before
        add_votes(store, np.ones((1, A)))
        voted = built_from(store)
        assert voted["votes"] != before["votes"]
        assert voted["predictions"] == before["predictions"]
        add_predictions(store, random_concentrations(1), galaxy_ids=[N], shard="more")
        assert built_from(store)["predictions"] != before["predictions"]
        assert sound_files(store) == {}
        with pytest.raises(CatalogError, match="no similarity index of its present votes"):
            load_index(store, "observed")


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_found_and_not_parsed(gz: Path, kind: str) -> None:
    file = index_path(gz, kind)
    whole = bytearray(file.read_bytes())
    other = next(name for name in KINDS if name != kind)
    with Store.open(gz, read_only=True) as store:
        assert sound_files(store) == dict.fromkeys(KINDS, True)
    whole[len(whole) // 2] ^= 1
    for damaged in (bytes(whole), bytes(whole[:100]), b"", None):
        if damaged is None:
            file.unlink()
        else:
            file.write_bytes(damaged)
        with Store.open(gz, read_only=True) as store:
            assert sound_files(store) == {kind: False, other: True}
            assert damaged_files(store) == ([] if damaged is None else [file])
            with pytest.raises(CatalogError, match=f"{file} is missing or damaged"):
                load_index(store, kind)
            assert len(load_index(store, other)) == N


@pytest.mark.parametrize("place", [8, 0.3, 0.5, 0.9, -9])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.slow
def test_bytes_that_rotted_unnoticed_are_found_when_opened(
    gz: Path, kind: str, place: float
) -> None:
    """Size and time of change are what they were."""
    file = index_path(gz, kind)
    with Store.open(gz, read_only=True) as store:
        load_index(store, kind)
    before, whole = file.stat(), bytearray(file.read_bytes())
    whole[int(place * len(whole)) if isinstance(place, float) else place] ^= 4
    file.write_bytes(whole)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    part_checksums.cache_clear()  # as in another process
    with Store.open(gz, read_only=True) as store:
        with pytest.raises(CatalogError, match=r"is missing or damaged; build it with: zoolens"):
            load_index(store, kind)
        assert damaged_files(store) == [file]
    assert index(gz).changed
    part_checksums.cache_clear()
    with Store.open(gz, read_only=True) as store:
        assert len(load_index(store, kind)) == N


@pytest.mark.slow
def test_a_file_that_lies_is_no_index(gz: Path) -> None:
    """The ledger says that it is sound, and what is in it is something else."""
    good, file = index_path(gz, "observed").read_bytes(), index_path(gz, "observed")
    other = pa.BufferOutputStream()
    with pa.ipc.new_file(other, pa.schema({"a": pa.int64()})) as writer:
        writer.write_batch(pa.record_batch({"a": [1]}))
    size = len(good) // 2
    random = np.random.default_rng(0)
    flipped = [
        good[:place] + bytes([good[place] ^ 255]) + good[place + 1 :]
        for place in random.integers(0, len(good), 60).tolist()
    ]
    for data in (other.getvalue().to_pybytes(), good[:size], b"", b"ARROW1", *flipped):
        file.write_bytes(data)
        with Store.open(gz) as store, contextlib.suppress(CatalogError):
            sha256 = hashlib.sha256(data).hexdigest()
            config = {"built_from": built_from(store), "sha256": dict.fromkeys(KINDS, sha256)}
            store.finish(store.begin("index", config))
            note_file(store, file, sha256)
            load_index(store, "observed")


def test_without_codes_the_way_to_them_is_told(gz: Path) -> None:
    with Store.open(gz, read_only=True) as store:
        assert recorded_codes(store) is None
        with pytest.raises(CatalogError, match="zoolens index --approximate"):
            load_codes(store, "observed")


@pytest.mark.slow
def test_files_of_other_predictions_are_outdated_and_not_damaged(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path / "gz.duckdb", random_counts(9), concentrations=random_concentrations(9)
    )
    index(path)
    with Store.open(path) as store:
        add_predictions(store, random_concentrations(9, seed=5), seed=5)
    index(path)
    with Store.open(path) as store:
        store.begin("predict", {"samples": 3, "seed": 0, "tree": "toy"}, model_sha256="00" * 32)
        assert store.newest_run("predict") == 2
        assert damaged_files(store) == []
    report = verify(path)
    found = {row["check"]: row for row in report.checks.to_pylist() if "index" in row["check"]}
    assert report.errors == 0
    again = found["similarity index: files to be made again by zoolens index"]
    assert (again["offending"], again["result"]) == (1, "warning"), "votes are the same"
