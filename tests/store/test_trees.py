from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.made.catalogues import TOY, blank
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.trees import forget_tree, read_tree, write_tree


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(blank(tmp_path / "gz.duckdb")) as opened:
        yield opened


def test_a_tree_comes_back_as_it_was_until_it_is_forgotten(store: Store) -> None:
    assert read_tree(store) is None
    write_tree(store, TOY)
    assert read_tree(store) == TOY
    with store.transaction():
        forget_tree(store)
    assert read_tree(store) is None


def test_what_is_no_tree_is_said(store: Store) -> None:
    write_tree(store, TOY)
    store.execute("UPDATE answer SET asked_after = 'nothing_at-all'")
    with pytest.raises(CatalogError, match="the tree toy cannot be read"):
        read_tree(store)
