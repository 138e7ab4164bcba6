"""The store of the full catalogue, and a block of all of its galaxies."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.made.catalogues import TOY
from tests.made.releases import N
from zoolens.catalog.release.galaxies import Block
from zoolens.catalog.release.provenance import find_runs
from zoolens.catalog.store.store import Store


@pytest.fixture(scope="module")
def store(full_gz: Path) -> Iterator[Store]:
    with Store.open(full_gz, read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def block(store: Store) -> Block:
    return Block(store, TOY, find_runs(store), np.arange(N))
