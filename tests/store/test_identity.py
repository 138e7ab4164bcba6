"""Runs and catalogues are told apart."""

import shutil
from pathlib import Path

from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog.store.identity import begun, identity_of
from zoolens.catalog.store.store import Store


def test_a_run_is_found_by_what_it_does(tmp_path: Path) -> None:
    with Store.open(catalogue(tmp_path / "gz.duckdb", random_counts(2))) as store:
        assert begun(store, "predict", {"seed": 1}, "m") is None
        run = store.begin("predict", {"seed": 1}, model_sha256="m", origin={"model": "a.ckpt"})
        assert begun(store, "predict", {"seed": 1}, "m") == run.run_id
        for other in (("predict", {"seed": 2}, "m"), ("predict", {"seed": 1}, "n")):
            assert begun(store, *other) is None


def test_catalogues_are_told_apart_and_copies_are_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.duckdb" for name in "abc"]
    for path in paths[:2]:
        catalogue(path, random_counts(2))
    shutil.copyfile(*paths[::2])
    found = []
    for path in paths:
        with Store.open(path, read_only=True) as store:
            found.append((identity_of(store), identity_of(store, 1)))
            assert identity_of(store, 99) is None
    assert found[0] == found[2] != found[1]
    with Store.open(tmp_path / "empty.duckdb", create=True) as store:
        assert identity_of(store) is None
