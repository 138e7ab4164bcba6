"""Names as a query in ADQL has to write them."""

import re

from vo_models.adql.misc import ADQL_SQL_KEYWORDS

_RESERVED = frozenset(ADQL_SQL_KEYWORDS)
_REGULAR = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def written(name: str) -> str:
    """A name, in quotes where it is a word of ADQL, or has other signs than names have."""
    if _REGULAR.fullmatch(name) and name.upper() not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'
