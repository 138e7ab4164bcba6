"""What ADQL has: the parts of a query's tree that are let through, and its functions.

An allow-list: a kind of part that is not here, or a part with an argument that is not here, is
refused by its place in the text. ADQL 2.1, sections 2 to 4; CASE is let through beyond it.
"""

from dataclasses import dataclass

from sqlglot import exp

from zoolens.catalog.errors import nearest
from zoolens.catalog.serve.adql.parsing import refused

_QUERY = {"with_", "expressions", "distinct", "limit", "offset", "from_", "joins", "where"}
_SET = {"with_", "this", "expression", "distinct", "order", "limit", "offset", "by_name"}
_TWO = {"this", "expression"}
# By kind: the arguments that it may have.
_PARTS: dict[str, set[str]] = {
    "Select": _QUERY | {"group", "having", "order"},
    "Union": _SET,
    "Except": _SET,
    "Intersect": _SET,
    "Subquery": {"this", "alias", "with_", "order", "limit", "offset"},
    "With": {"expressions", "recursive"},
    "CTE": {"this", "alias"},
    "TableAlias": {"this", "columns"},
    "From": {"this"},
    "Join": {"this", "on", "using", "side", "kind", "method"},
    "Table": {"this", "db", "alias", "joins"},
    "Where": {"this"},
    "Group": {"expressions"},
    "Having": {"this"},
    "Order": {"expressions"},
    "Ordered": {"this", "desc", "nulls_first"},
    "Limit": {"expression"},
    "Offset": {"expression"},
    "Distinct": {"expressions"},
    "Identifier": {"this", "quoted"},
    "Column": {"this", "table", "db"},
    "Star": set(),
    "Alias": {"this", "alias"},
    "Literal": {"this", "is_string"},
    "Null": set(),
    "Boolean": {"this"},
    "Paren": {"this"},
    "Neg": {"this"},
    "Not": {"this"},
    "Anonymous": {"this", "expressions"},
    "Cast": {"this", "to", "safe"},
    "DataType": {"this", "expressions", "nested"},
    "DataTypeParam": {"this"},
    "Case": {"this", "ifs", "default"},
    "If": {"this", "true"},
    "In": {"this", "expressions", "query"},
    "Between": {"this", "low", "high"},
    "Exists": {"this"},
    "Is": _TWO,
    "Like": _TWO | {"negate"},
    "ILike": _TWO | {"negate"},
    "DPipe": _TWO | {"safe"},
    "Div": _TWO | {"typed", "safe"},
    "Tuple": {"expressions"},
} | dict.fromkeys(("And", "Or", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "Add", "Sub", "Mul"), _TWO)
_JOINS = {"", "INNER", "OUTER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"}
_TYPES = {
    "INT": "INTEGER",
    "SMALLINT": "SMALLINT",
    "BIGINT": "BIGINT",
    "FLOAT": "FLOAT",
    "DOUBLE": "DOUBLE",
    "CHAR": "VARCHAR",
    "VARCHAR": "VARCHAR",
    "TIMESTAMP": "TIMESTAMP",
}


@dataclass(frozen=True)
class Function:
    """A function of ADQL: its name in DuckDB, and how many arguments it takes."""

    name: str
    least: int = 1
    most: int = 1


# All that are no geometry (`catalog.serve.adql.geometry`).
FUNCTIONS: dict[str, Function] = {
    **{
        name: Function(name.lower())
        for name in (
            *("ABS", "ACOS", "ASIN", "ATAN", "COS", "COT", "DEGREES", "EXP", "FLOOR", "LOG10"),
            *("RADIANS", "SIN", "SQRT", "TAN", "LOWER", "UPPER"),
            *("AVG", "COUNT", "MAX", "MIN", "SUM"),
        )
    },
    "ATAN2": Function("atan2", 2, 2),
    "CEILING": Function("ceil"),
    "LOG": Function("ln"),
    "MOD": Function("mod", 2, 2),
    "PI": Function("pi", 0, 0),
    "POWER": Function("pow", 2, 2),
    "RAND": Function("random", 0, 1),
    "ROUND": Function("round", 1, 2),
    "TRUNCATE": Function("trunc", 1, 2),
    "COALESCE": Function("coalesce", 1, 100),
}


def check(text: str, tree: exp.Expr, geometry: set[str]) -> None:
    """Raises `AdqlError` for the first part of a query that ADQL does not have.

    geometry: the names of its other functions.
    """
    for node in tree.walk(bfs=False):
        kind = type(node).__name__
        extra = {name for name, value in node.args.items() if value} - _PARTS.get(kind, set())
        if kind not in _PARTS:
            raise refused(text, node, f"ADQL has no {_words(kind)}")
        if extra:
            raise refused(text, node, f"ADQL has no {_words(min(extra))} in {_words(kind)}")
        if isinstance(node, exp.Anonymous):
            _check_function(text, node, geometry)
        elif isinstance(node, exp.DataType):
            _check_type(text, node)
        elif isinstance(node, exp.Join):
            words = {node.args.get(name) or "" for name in ("side", "kind", "method")}
            if words - _JOINS:
                raise refused(text, node, f"ADQL has no {min(words - _JOINS)} JOIN")
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            raise refused(text, node, "WITH RECURSIVE is not served")
        elif isinstance(node, exp.Select) and not node.expressions:
            raise refused(text, node, "SELECT needs something to select")
        elif isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
            raise refused(text, node, "only tables and queries stand after FROM")


def _words(kind: str) -> str:
    return kind.strip("_").upper()


def _check_function(text: str, node: exp.Anonymous, geometry: set[str]) -> None:
    name = node.name.upper()
    if name in geometry:
        return
    function = FUNCTIONS.get(name)
    if function is None:
        known = nearest(name, sorted({*FUNCTIONS, *geometry}))
        raise refused(text, node, f"no function {node.name}; there are {known}")
    if not function.least <= len(node.expressions) <= function.most:
        wanted = str(function.least)
        if function.most != function.least:
            wanted += f" to {function.most}"
        raise refused(text, node, f"{name} takes {wanted}, not {len(node.expressions)}")
    stars = [part for part in node.expressions if isinstance(part, exp.Star)]
    if stars and name != "COUNT":
        raise refused(text, node, f"{name}(*) is only for COUNT")


def _check_type(text: str, node: exp.DataType) -> None:
    if node.this.name not in _TYPES:
        known = ", ".join(sorted(set(_TYPES.values())))
        raise refused(text, node, f"no type {node.this.name}; there are {known}")
