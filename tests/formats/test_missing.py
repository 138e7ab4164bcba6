"""Words for missing values are known in any case, and nothing else is."""

import pyarrow as pa
import pytest

from zoolens.catalog.formats.missing import MISSING, is_missing, without_words

OTHERS = ["", "0", "-", "no", "Nancy", "nanometre", "n a", "J1"]


@pytest.mark.parametrize("word", sorted(MISSING))
def test_words_in_any_case(word: str) -> None:
    assert is_missing(word)
    assert is_missing(word.upper())


def test_both_ways_agree() -> None:
    cells = [*MISSING, *map(str.upper, MISSING), *OTHERS, None]
    kept = without_words(pa.chunked_array([cells])).to_pylist()
    assert kept == [None if cell is None or is_missing(cell) else cell for cell in cells]
    assert [cell for cell in kept if cell is not None] == OTHERS
