"""A query in ADQL as one that DuckDB answers, with what each column of the answer holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError

from zoolens.catalog.serve.adql import allowed, functions, geometry
from zoolens.catalog.serve.adql.names import Names
from zoolens.catalog.serve.adql.parsing import AdqlError, parse, refused
from zoolens.catalog.store.dictionary import Column
from zoolens.catalog.store.published import Published


@dataclass(frozen=True)
class Translated:
    """A query for DuckDB; columns: those of its answer; used: the tables that it reads.

    called: the functions of our own that it calls.
    """

    sql: str
    columns: list[Column]
    used: set[str]
    called: functions.Called

    @property
    def has_geometry(self) -> bool:
        """Whether it calls the macros of `catalog.store.sphere`."""
        return "adql_" in self.sql.lower()


def translate(text: str, tables: Sequence[Published], rows: int) -> Translated:
    """A query in ADQL as DuckDB's; rows: the most that it is to give.

    Raises `AdqlError` for what is no ADQL, or asks for what is not there, with its place.
    """
    try:
        tree: exp.Expr = parse(text)
        allowed.check(text, tree, geometry.FUNCTIONS | functions.FUNCTIONS)
        names = Names(text, tables)
        columns = names.resolve(tree)
        if isinstance(tree, exp.Subquery) and not tree.args.get("limit"):
            tree = tree.unnest()
        tree = geometry.replaced(text, tree)
        called = functions.replaced(text, tree)
        for node in list(tree.find_all(exp.Anonymous)):
            if node.name.upper() in allowed.FUNCTIONS:
                node.set("this", allowed.FUNCTIONS[node.name.upper()].name)
        _bound(text, tree, rows)
        return Translated(tree.sql("duckdb", identify=True), columns, names.used, called)
    except RecursionError:
        raise AdqlError("the query has too many parts within parts") from None
    except SqlglotError as error:
        raise AdqlError(f"this is no ADQL: {str(error).splitlines()[0]}") from None


def _bound(text: str, tree: exp.Expr, rows: int) -> None:
    """Let a query give at most so many rows, and see that TOP and OFFSET are whole numbers."""
    for node in tree.find_all(exp.Limit, exp.Offset):
        number = node.expression
        if not (isinstance(number, exp.Literal) and number.is_int):
            raise refused(text, number, "TOP and OFFSET take a whole number")
    limit = tree.args.get("limit")
    asked = rows if limit is None else min(rows, int(limit.expression.name))
    tree.set("limit", exp.Limit(expression=exp.Literal.number(asked)))
