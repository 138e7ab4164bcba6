"""Conditions in SQL over rows, against Python; and those that are more than a condition."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.made.catalogues import catalogue, random_counts
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.row_filter import RowFilter, galaxies_that, galaxies_where
from zoolens.catalog.store.store import Store

ROWS = pa.table(
    {
        "iauname": ["J3", "J1", "J2", "J'4"],
        "votes": pa.array([5, None, 40, 7], pa.int32()),
        "odd name": [0.5, 0.1, 0.9, None],
    }
)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("votes > 5", ["J2", "J'4"]),
        ("votes IS NULL", ["J1"]),
        ("NOT votes > 5", ["J3"]),  # NULL is neither
        ('"odd name" < 0.6 -- as fractions go', ["J3", "J1"]),
        ("iauname IN ('J2', 'J''4') OR votes = 5", ["J3", "J2", "J'4"]),
        ("false", []),
        ("true", ["J3", "J1", "J2", "J'4"]),
    ],
)
def test_rows_for_which_it_is_true_stay_in_order(condition: str, kept: list[str]) -> None:
    found = RowFilter(condition, ROWS.schema).kept(ROWS)
    assert found.schema == ROWS.schema
    assert found["iauname"].to_pylist() == kept


def test_one_filter_serves_block_after_block() -> None:
    filtered = RowFilter("votes > 5", ROWS.schema)
    found = [filtered.kept(ROWS.slice(start, 1)) for start in range(4)]
    assert [len(rows) for rows in found] == [0, 0, 1, 1]
    assert len(filtered.kept(ROWS.slice(0, 0))) == 0


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("vote > 5", 'Referenced column "vote" not found'),
        ("votes >", "syntax error"),
        ("votes = max(votes)", "aggregates"),
        ("row_number() OVER () = 1", "window"),
        ("true); DROP TABLE x; SELECT (1", "condition"),
        ("true) OR (true", "syntax error"),
        ("votes > 5; SELECT 1", "condition"),
        ("iauname IN (FROM read_csv('/etc/passwd'))", "disabled by configuration"),
        ("iauname IN (SELECT iauname FROM galaxies)", "galaxies does not exist"),
        ("", "condition"),
    ],
)
def test_what_is_no_condition_on_a_row_is_told_before_any_row(condition: str, told: str) -> None:
    with pytest.raises(CatalogError, match=told) as caught:
        RowFilter(condition, ROWS.schema)
    assert "\n" not in str(caught.value).replace(condition, "")


def test_a_row_that_breaks_the_condition_is_told() -> None:
    filtered = RowFilter("CAST(iauname AS INTEGER) > 3", ROWS.schema)
    with pytest.raises(CatalogError, match="Could not convert string 'J3'"):
        filtered.kept(ROWS)


def test_galaxies_are_chosen_by_what_the_views_have_of_them(tmp_path: Path) -> None:
    with Store.open(catalogue(tmp_path / "gz.duckdb", random_counts(4))) as store:

        def found(condition: str) -> list[int]:
            some = galaxies_where(store, condition)
            return [number for (number,) in store.rows(f"FROM {some} ORDER BY 1")]

        assert found("ra > 10.05 AND iauname <> 'G0003' -- by name") == [1, 2]
        assert found("galaxy_id % 2 = 0") == [0, 2]
        for condition, told in [
            ("z < 0.1", 'column "z" not found'),
            ("iauname IN (SELECT iauname FROM galaxies)", "galaxies does not exist"),
            ("ra = max(ra)", "aggregates"),
            ("CAST(iauname AS INTEGER) = 1", "Could not convert string 'G000"),
            ("ra < 0", "no galaxy of .* has ra < 0; loosen"),
        ]:
            with pytest.raises(CatalogError, match=told):
                galaxies_where(store, condition)


def test_names_that_are_near_are_told() -> None:
    with pytest.raises(
        CatalogError, match='not found in FROM clause!; Candidate bindings: "votes"'
    ):
        RowFilter("vote > 5", ROWS.schema)


def test_galaxies_of_which_it_is_true_by_number(tmp_path: Path) -> None:
    path = catalogue(tmp_path / "gz.duckdb", random_counts(4))
    with Store.open(path, read_only=True) as store:
        assert galaxies_that(store, "iauname <> 'G0002'").tolist() == [0, 1, 3]
        with pytest.raises(CatalogError, match="loosen the condition"):
            galaxies_that(store, "ra > 400")
