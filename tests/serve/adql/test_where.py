from pathlib import Path

import duckdb
import pytest

from zoolens.catalog.serve.adql.translate import translate
from zoolens.catalog.serve.adql.where import at_in
from zoolens.catalog.store.foreign import opened
from zoolens.catalog.store.published import published


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT ra\nFROM galaxies\nWHERE iauname > 3", "line 3, column 15: Cannot compare"),
        ("SELECT ra, COUNT(*) FROM galaxies", 'line 1, column 8: column "ra" must appear'),
        ("SELECT CAST(iauname AS INTEGER) FROM galaxies", "line 1, column 8: Could not convert"),
        ("SELECT ra, SQRT(-1) FROM galaxies", "line 1, column 12: cannot take square root"),
        ("SELECT ra, 'sqrt',\nLOG10(0) FROM galaxies", "line 2, column 1: cannot take logarithm"),
        ("SELECT SQRT(4), SQRT(-1) FROM galaxies", "cannot take square root"),
        ("SELECT SUM(iauname) FROM galaxies", "line 1, column 8: No function matches"),
    ],
)
def test_what_duckdb_refuses_is_said_of_the_users_text(full_gz: Path, text: str, said: str) -> None:
    query = translate(text, published(), 10)
    with (
        opened(full_gz, memory=1 << 28, threads=1) as foreign,
        pytest.raises(duckdb.Error) as refused,
    ):
        foreign.answer(query.sql, 10).read_all()
    assert str(at_in(text, query.sql, str(refused.value))).startswith(said)


def test_without_a_mark_the_words_alone_are_said() -> None:
    error = at_in("SELECT 1", "SELECT 1", "Out of Range Error: too large\n\nmore")
    assert str(error) == "too large more"
