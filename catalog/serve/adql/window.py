"""A window before distances: conditions that DuckDB answers by the columns' ranges, block by block.

What is near a constant position has a declination near it and, away from the poles, a right
ascension. Between two that are both in tables it is their declinations, which DuckDB joins by.
"""

import math

from sqlglot import exp

from zoolens.catalog.serve.adql.shapes import Shape, constant, number_in

_SLACK = 1e-9  # degrees, more than rounding takes away


def window(
    a: Shape, b: Shape, radius: float | None, radius_node: exp.Expr | None = None
) -> list[exp.Expr]:
    """Conditions that two positions fulfil if they are within a radius, and that are fast.

    radius: degrees, if it is a number; else radius_node is its expression.
    """
    fixed = [[constant(number_in(shape, i)) for i in (0, 1)] for shape in (a, b)]
    for shape, (lon, lat) in ((a, fixed[1]), (b, fixed[0])):
        if lon is not None and lat is not None and radius is not None:
            return _around(shape, lon, lat, radius)
    if radius is not None:
        size = _number(radius + _SLACK)
    elif radius_node is not None:
        size = exp.Paren(this=radius_node.copy())
    else:
        return []
    here, there = number_in(a, 1), exp.Paren(this=number_in(b, 1))
    return [
        exp.Between(
            this=here,
            low=exp.Sub(this=there, expression=size),
            high=exp.Add(this=there.copy(), expression=size.copy()),
        )
    ]


def _around(shape: Shape, lon: float, lat: float, radius: float) -> list[exp.Expr]:
    """Conditions on a position that is within a radius of a fixed one."""
    reach = radius + _SLACK
    found: list[exp.Expr] = [_between(number_in(shape, 1), lat - reach, lat + reach)]
    if not shape.parts or not _is_right_ascension(shape.parts[0]):
        return found
    if abs(lat) + reach >= 90 or not 0 <= reach < 90:
        return found
    half = math.degrees(math.asin(math.sin(math.radians(reach)) / math.cos(math.radians(lat))))
    half += _SLACK
    low, high = (lon - half) % 360, (lon + half) % 360
    if half >= 180:
        return found
    place = number_in(shape, 0)
    if low <= high:
        # 360 is the same place as 0
        edge = [exp.EQ(this=place.copy(), expression=_number(360))] if low == 0 else []
        found.append(_or([_between(place, low, high), *edge]))
    else:
        after = exp.GTE(this=place, expression=_number(low))
        found.append(_or([after, exp.LTE(this=place.copy(), expression=_number(high))]))
    return found


def _is_right_ascension(node: exp.Expr) -> bool:
    """Whether an expression is a column of right ascensions, which are 0 to 360 here."""
    held = node.meta.get("column") if isinstance(node, exp.Column) else None
    return held is not None and held.ucd.startswith("pos.eq.ra;meta.main")


def bounding_cap(shape: Shape) -> tuple[float, float, float] | None:
    """Centre and radius, degrees, of a circle around a polygon of numbers; None for another."""
    known = [constant(part) for part in shape.parts]
    if not known or any(value is None for value in known):
        return None
    numbers = [value or 0.0 for value in known]
    corners = [_vector(*numbers[i : i + 2]) for i in range(0, len(numbers), 2)]
    middle = [sum(axis) for axis in zip(*corners, strict=True)]
    length = math.hypot(*middle)
    if length < 1e-9:
        return None
    x, y, z = (value / length for value in middle)
    radius = max(_degrees_between((x, y, z), corner) for corner in corners)
    if radius >= 89:
        return None
    return math.degrees(math.atan2(y, x)) % 360, math.degrees(math.asin(max(-1, min(1, z)))), radius


def _vector(lon: float, lat: float) -> tuple[float, float, float]:
    a, d = math.radians(lon), math.radians(lat)
    return math.cos(d) * math.cos(a), math.cos(d) * math.sin(a), math.sin(d)


def _degrees_between(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return math.degrees(2 * math.asin(min(1.0, math.dist(a, b) / 2)))


def _number(value: float) -> exp.Expr:
    """A number as a double: DuckDB takes 0.1 for a decimal, and compares columns as such."""
    return exp.cast(exp.Literal.number(repr(float(value))), "DOUBLE")


def _between(place: exp.Expr, low: float, high: float) -> exp.Expr:
    return exp.Between(this=place, low=_number(low), high=_number(high))


def _or(parts: list[exp.Expr]) -> exp.Expr:
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.Or(this=whole, expression=part)
    return exp.Paren(this=whole) if len(parts) > 1 else whole


def both(before: list[exp.Expr], after: exp.Expr) -> exp.Expr:
    """All of some conditions, in their order."""
    whole = after
    for part in reversed(before):
        whole = exp.And(this=part, expression=whole)
    return exp.Paren(this=whole)
