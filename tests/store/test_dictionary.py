"""What is said of columns, against the views as DuckDB describes them and the IVOA's words."""

from collections.abc import Iterator

import pytest
from astropy import units
from astropy.io.votable.ucd import check_ucd

from tests.made.catalogues import blank
from zoolens.catalog.store.dictionary import COLUMNS
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.views import VIEWS


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path = blank(tmp_path_factory.mktemp("dictionary") / "gz.duckdb")
    with Store.open(path, read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("view", COLUMNS)
def test_names_and_types_are_those_of_the_view(store: Store, view: str) -> None:
    described = [row[:2] for row in store.rows(f"DESCRIBE {view}")]
    assert [(column.name, column.type) for column in COLUMNS[view].values()] == described


@pytest.mark.parametrize("view", [view.name for view in VIEWS if view.job is not None])
def test_history_has_the_same_columns(store: Store, view: str) -> None:
    assert store.rows(f"DESCRIBE history.{view}") == store.rows(f"DESCRIBE {view}")


def test_every_view_is_described_and_no_other(store: Store) -> None:
    assert list(COLUMNS) == [view.name for view in VIEWS]
    shown = store.rows("SELECT view_name FROM duckdb_views() WHERE NOT internal")
    assert {name for (name,) in shown} == set(COLUMNS)


@pytest.mark.parametrize("view", COLUMNS)
def test_ucds_and_units_are_those_of_the_ivoa(view: str) -> None:
    for column in COLUMNS[view].values():
        if column.name != "asked_after":  # for which there is no word
            assert check_ucd(column.ucd, check_controlled_vocabulary=True, has_colon=True), column
        units.Unit(column.unit, format="vounit")  # raises where it is none


@pytest.mark.parametrize("view", COLUMNS)
def test_words_are_a_line_that_goes_on(view: str) -> None:
    for column in COLUMNS[view].values():
        assert column.description, column
        for words in (column.description, column.wide):
            assert "\n" not in words, column
            assert words == words.strip(), column
            assert not words.endswith("."), column
        assert column.wide == "" or column.wide.count("{of}") == 1, column


def test_a_comment_names_the_unit() -> None:
    assert COLUMNS["galaxies"]["ra"].comment == "right ascension, ICRS, deg"
    assert COLUMNS["galaxies"]["split"].comment == COLUMNS["galaxies"]["split"].description


def test_one_name_means_one_thing() -> None:
    """A column of several views has one type, and one UCD."""
    meanings: dict[str, set[tuple[str, str]]] = {}
    for columns in COLUMNS.values():
        for column in columns.values():
            meanings.setdefault(column.name, set()).add((column.type, column.ucd))
    assert {name for name, found in meanings.items() if len(found) > 1} == set()
