"""Where in a user's query that is which DuckDB refused in the one that was made of it."""

import re

from zoolens.catalog.serve.adql.parsing import AdqlError, where

_LATE = "Attempting to execute an unsuccessful or closed pending query result\nError: "
_MARK = re.compile(r"\n+LINE \d+: (?P<line>.*)\n(?P<space> *)\^.*", re.S)
_WORD = re.compile(r"[A-Za-z_]\w*|\d[\d.]*(?:[eE][+-]?\d+)?|'(?:[^']|'')*'|[<>=!]+|[-+*/|]+")
# By what DuckDB says of values that have none, without a mark: the functions that it may be.
_FUNCTIONS = {
    "square root": ("sqrt",),
    "logarithm": ("log", "log10"),
    "acos is undefined": ("acos",),
    "asin is undefined": ("asin",),
}
_INNER = re.compile(r'\b(?:main|temp|history)"?\."?|tap_schema_', re.I)


def at_in(text: str, sql: str, message: str) -> AdqlError:
    """The error of a query, with the place in the user's text of what DuckDB marks in its own.

    Words keep their order when a query is translated: the third `ra` of one is that of the other.
    """
    said = message.removeprefix(_LATE)
    mark = _MARK.search(said)
    words = said[: mark.start()] if mark else said
    words = " ".join(words.split("\n\nCandidate")[0].split())
    words = re.sub(r"^(?:[A-Z]\w+ )(?:\w+ ){0,2}Error: ", "", words)
    at = _only_call(text, words) if mark is None else _place(text, sql, mark)
    return AdqlError(f"{at}: {words}" if at else words)


def _only_call(text: str, words: str) -> str | None:
    """Where the function is that DuckDB speaks of, if there is one of it."""
    for spoken, names in _FUNCTIONS.items():
        if spoken in words.lower():
            calls = [w.start() for w in _WORD.finditer(text) if w[0].lower() in names]
            return where(text, calls[0]) if len(calls) == 1 else None
    return None


def _place(text: str, sql: str, mark: re.Match[str]) -> str | None:
    shown = mark["line"].split("\n")[0]
    column = len(mark["space"]) - len(re.match(r"LINE \d+: ", mark[0].strip())[0])  # type: ignore[index]
    core = shown.strip(".")
    begin = sql.find(core)
    if begin < 0:
        return None
    offset = begin + column - (len(shown) - len(shown.lstrip(".")))
    found = next(
        (w for w in _WORD.finditer(sql) if w.start() <= offset + 1 and offset < w.end()), None
    )
    if found is None:
        return None
    word = found[0].lower()
    before = sum(w[0].lower() == word for w in _WORD.finditer(sql[: found.start()]))
    same = [w.start() for w in _WORD.finditer(text) if w[0].lower() == word]
    if not same:
        return None
    return where(text, same[min(before, len(same) - 1)])
