"""Geometries in a query: which an expression gives, and its numbers, where they are written."""

import operator
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

POINT, CIRCLE, POLYGON = "POINT", "CIRCLE", "POLYGON"
# By the function that makes it.
MADE = {"POINT": POINT, "CIRCLE": CIRCLE, "BOX": POLYGON, "POLYGON": POLYGON, "CENTROID": POINT}


@dataclass(frozen=True)
class Shape:
    """A geometry: its kind, its numbers where they are written out, and its expression."""

    kind: str
    parts: tuple[exp.Expr, ...]
    whole: exp.Expr


def kind_of(node: exp.Expr) -> str | None:
    """Which geometry an expression gives; None if none."""
    if isinstance(node, exp.Paren):
        return kind_of(node.this)
    if isinstance(node, exp.Column) and "column" in node.meta:
        kind = node.meta["column"].type
        return kind if kind in (POINT, CIRCLE, POLYGON) else None
    return MADE.get(node.name.upper()) if isinstance(node, exp.Anonymous) else None


def shape_of(kind: str, numbers: list[exp.Expr]) -> Shape:
    """The geometry of some numbers."""
    whole = exp.Array(expressions=[part.copy() for part in numbers])
    return Shape(kind, tuple(numbers), exp.cast(whole, "DOUBLE[]"))


def fixed_point(lon: float, lat: float) -> Shape:
    """A position that is known."""
    return shape_of(POINT, [exp.Literal.number(repr(lon)), exp.Literal.number(repr(lat))])


def number_in(shape: Shape, place: int) -> exp.Expr:
    """A number of a geometry."""
    if shape.parts:
        return shape.parts[place].copy()
    return call("list_extract", shape.whole, exp.Literal.number(place + 1))


def separation(a: Shape, b: Shape) -> exp.Expr:
    """The distance of two points."""
    return call("adql_separation", *(number_in(shape, i) for shape in (a, b) for i in (0, 1)))


def call(name: str, *parts: exp.Expr) -> exp.Anonymous:
    """A function of DuckDB's, or a macro."""
    return exp.Anonymous(this=name, expressions=[part.copy() for part in parts])


def is_call(node: exp.Expr, *names: str) -> bool:
    """Whether an expression calls one of some functions."""
    return isinstance(node, exp.Anonymous) and node.name.upper() in names


def constant(node: exp.Expr) -> float | None:
    """The value of an expression of numbers alone; None if it is another."""
    if isinstance(node, exp.Paren):
        return constant(node.this)
    if isinstance(node, exp.Neg):
        value = constant(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Literal) and not node.is_string:
        return float(node.name)
    ways: dict[type[exp.Expr], Callable[[float, float], float]] = {
        exp.Add: operator.add,
        exp.Sub: operator.sub,
        exp.Mul: operator.mul,
        exp.Div: operator.truediv,
    }
    if type(node) not in ways:
        return None
    a, b = constant(node.this), constant(node.expression)
    if a is None or b is None or (isinstance(node, exp.Div) and b == 0):
        return None
    return ways[type(node)](a, b)
