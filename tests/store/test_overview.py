"""What a catalogue holds on the whole."""

from pathlib import Path

from tests.made.catalogues import TOY
from zoolens.catalog.store.overview import overview, together
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import VIEWS


def test_an_overview_says_what_each_view_has(full_gz: Path) -> None:
    with Store.open(full_gz, read_only=True) as store:
        found = overview(store)
        for view in VIEWS:
            rows = store.value(f"SELECT count(*) FROM {view.name}")
            told = f"{view.name}: its table in _TABLES of catalog/store/overview.py"
            assert (view.name in found.filled) == (rows > 0), told
        assert found.galaxies == store.value("SELECT count(*) FROM galaxy")
        runs = store.rows("SELECT run_id FROM run WHERE job = 'explain'")
    assert [one.run for one in found.runs if one.job == "explain"] == [run for (run,) in runs]
    assert [label for _, _, label, _ in found.tree] == list(TOY.labels)
    assert {after for *_, after in found.tree} == {one.asked_after for one in TOY.questions}


def test_a_catalogue_without_anything_is_empty(tmp_path: Path) -> None:
    with Store.open(tmp_path / "gz.duckdb", create=True) as store:
        found = overview(store)
    assert (found.galaxies, found.positions, found.images) == (0, 0, False)
    assert (found.tree, found.runs, found.filled) == ((), (), frozenset())
    assert together([found, found]) == found
