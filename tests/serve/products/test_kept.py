from pathlib import Path

import numpy as np

from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog.explain.derived import FractionMap, Fractions
from zoolens.catalog.serve.products.kept import KeptMaps
from zoolens.catalog.store.store import Run, Store

_RUN = Run(4, "explain", {}, None, True)


def _made(galaxy: int) -> Fractions:
    maps = np.random.default_rng(galaxy).normal(size=(2, 3, 4)).astype(np.float32)
    return {
        (galaxy, 0): FractionMap(0.1, maps[0], 0.3),
        (galaxy, 5): FractionMap(0.9, maps[1], None),
    }


def test_maps_are_read_as_they_were_made(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    kept, made = KeptMaps(tmp_path / "kept"), _made(1)
    with Store.open(path, read_only=True) as store:
        assert kept.read(store, _RUN, 1) is None
        kept.write(store, _RUN, 1, {})
        assert kept.read(store, _RUN, 1) is None
        kept.write(store, _RUN, 1, made)
        found = kept.read(store, _RUN, 1)
        assert found is not None
        assert found.keys() == made.keys()
        for key, one in made.items():
            assert (found[key].expected, found[key].baseline) == (one.expected, one.baseline)
            np.testing.assert_array_equal(found[key].raised, one.raised)
            assert found[key].raised.dtype == one.raised.dtype
        assert kept.read(store, _RUN, 2) is None
        (file,) = (tmp_path / "kept").iterdir()
        file.write_bytes(file.read_bytes()[:100])  # a damaged one is as none
        assert kept.read(store, _RUN, 1) is None
        kept.write(store, _RUN, 1, made)
    path.touch()  # another copy of the catalogue
    with Store.open(path, read_only=True) as store:
        assert kept.read(store, _RUN, 1) is None


def test_the_oldest_are_let_go(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2))
    kept = KeptMaps(tmp_path / "kept", most=10)
    with Store.open(path, read_only=True) as store:
        for galaxy in range(11):
            kept.write(store, _RUN, galaxy, _made(galaxy))
        there = [kept.read(store, _RUN, galaxy) is not None for galaxy in range(11)]
    assert there == [False] * 2 + [True] * 9
