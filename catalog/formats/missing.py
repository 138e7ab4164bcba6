"""What programs write into a text table for a missing value."""

import pyarrow as pa
import pyarrow.compute as pc

# In lower case: pandas's, SQL's, Excel's, IRAF's, and Python's, NumPy's and astropy's.
MISSING = frozenset(
    [
        *("null", "none", "nan", "na", "n/a", "#n/a", "<na>", "nat", "--", "---", "\\n"),
        *("masked", "indef", "…", "..."),
    ]
)
_LONGEST = max(map(len, MISSING))


def is_missing(text: str) -> bool:
    """Whether text, stripped, is a word for a missing value."""
    return len(text) <= _LONGEST and text.lower() in MISSING


def without_words(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text, stripped, with NULL for the words for missing."""
    words = pc.is_in(pc.utf8_lower(text), value_set=pa.array(sorted(MISSING), text.type))
    return pc.if_else(words, None, text)
