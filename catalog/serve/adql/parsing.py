"""ADQL 2.1 as a tree: its grammar, and mistakes with their place in the text.

Sqlglot parses what most databases take; every function is left as it was written, and what ADQL
does not have is refused afterwards (`catalog.serve.adql.allowed`).
"""

from typing import Any, ClassVar

from sqlglot import Dialect, ErrorLevel, TokenType, exp, parser, tokens
from sqlglot.errors import ParseError, SqlglotError

from zoolens.catalog.errors import QueryRefused

LONGEST = 100_000  # characters of a query
_DEEPEST = 120  # parts of a query within parts
_TOO_DEEP = f"more than {_DEEPEST} parts within parts; of many values write: x IN (1, 2, 3)"


class AdqlError(QueryRefused):
    """A query that is no ADQL, or asks for what is not here; it names the place in the text."""


class Adql(Dialect):
    """ADQL 2.1 as sqlglot reads it."""

    NULL_ORDERING = "nulls_are_last"

    class Tokenizer(tokens.Tokenizer):
        """Words and signs of ADQL."""

        IDENTIFIERS: ClassVar[list[Any]] = ['"']
        COMMENTS: ClassVar[list[Any]] = ["--"]
        KEYWORDS: ClassVar[dict[str, Any]] = {**tokens.Tokenizer.KEYWORDS, "TOP": TokenType.TOP}

    class Parser(parser.Parser):
        """Every function stays what it is called, but CAST and CASE."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            "CAST": parser.Parser.FUNCTION_PARSERS["CAST"]
        }
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            "CASE": parser.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]
        }


def parse(text: str) -> exp.Query:
    """The tree of a query. Raises `AdqlError` if it is not one query."""
    if len(text) > LONGEST:
        raise AdqlError(f"the query is longer than {LONGEST:,} characters")
    if not text.strip():
        raise AdqlError("there is no query; give QUERY")
    try:
        found = Adql().parse(text, error_level=ErrorLevel.IMMEDIATE)
    except ParseError as error:
        raise _parse_error(text, error) from None
    except RecursionError:
        raise AdqlError(_TOO_DEEP) from None
    except (SqlglotError, ValueError) as error:
        raise _token_error(text, error) from None
    trees = [tree for tree in found if tree is not None]
    if len(trees) != 1:
        raise AdqlError(f"{len(trees)} statements; give one SELECT")
    (tree,) = trees
    if not isinstance(tree, exp.Query):
        raise AdqlError("only SELECT, WITH, and UNION, EXCEPT or INTERSECT of them can be asked")
    _refuse_deep(tree)
    return tree


def place(text: str, node: exp.Expr) -> str:
    """Where a part of a query begins, in words; empty if it is not known."""
    if "start" in node.meta:
        return where(text, node.meta["start"])
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return where(text, min(starts)) if starts else ""


def where(text: str, start: int) -> str:
    """A place in a text, in words: line and column, both from 1."""
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    return f"line {line}, column {column}"


def refused(text: str, node: exp.Expr, reason: str) -> AdqlError:
    """The error of a part of a query."""
    at = place(text, node)
    return AdqlError(f"{at}: {reason}" if at else reason)


def _parse_error(text: str, error: ParseError) -> AdqlError:
    first = error.errors[0] if error.errors else {}
    word = str(first.get("highlight") or "")
    before = str(first.get("start_context") or "")
    whole = text.find(before + word) if before or word else -1
    start = len(before) + max(whole, 0)
    if not first:
        return AdqlError(f"this is no ADQL: {str(error).splitlines()[0]}")
    said = str(first.get("description", "")).split(" for <class")[0]
    words = {
        "Invalid expression / Unexpected token": f"{word!r} was not expected here",
        "Required keyword: 'this' missing": f"something is missing after {word!r}",
        "Required keyword: 'expression' missing": f"something is missing after {word!r}",
    }.get(said, f"{said.rstrip('.').lower()}, at {word!r}")
    return AdqlError(f"{where(text, start)}: {words}")


def _token_error(text: str, error: Exception) -> AdqlError:
    """The error of a text whose words cannot be told: most often a quote that is not closed."""
    quote, start = "", 0
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote, start = sign, at
    if quote:
        return AdqlError(f"{where(text, start)}: this {quote} is not closed")
    return AdqlError(f"this is no ADQL: {str(error).splitlines()[0]}")


def _refuse_deep(tree: exp.Expr) -> None:
    """Raises `AdqlError` for a tree so deep that going through it would run out of stack."""
    level, depth = [tree], 0
    while level:
        level = [child for node in level for child in node.iter_expressions()]
        depth += 1
        if depth > _DEEPEST:
            raise AdqlError(_TOO_DEEP)
