"""ADQL's geometry as DuckDB has it (`catalog.store.sphere`), and a window before what is slow.

ADQL 2.1, section 4.2. Positions are ICRS, in degrees. What is near a constant position has a
declination near it, and away from the poles a right ascension: that is compared first, which DuckDB
does by the columns' own ranges, block by block, before it computes any distance.
"""

import math
from dataclasses import dataclass

from sqlglot import exp

from zoolens.catalog.serve.adql import refused

POINT, CIRCLE, POLYGON = "POINT", "CIRCLE", "POLYGON"
_MADE = {"POINT": POINT, "CIRCLE": CIRCLE, "BOX": POLYGON, "POLYGON": POLYGON, "CENTROID": POINT}
FUNCTIONS = {
    *_MADE,
    *("CONTAINS", "INTERSECTS", "DISTANCE", "AREA", "COORD1", "COORD2", "COORDSYS"),
}
_FRAMES = ("", "ICRS", "ICRS GEOCENTER", "ICRS BARYCENTER", "FK5", "J2000", "UNKNOWNFRAME")
_SLACK = 1e-9  # degrees, more than rounding takes away


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
    return _MADE.get(node.name.upper()) if isinstance(node, exp.Anonymous) else None


def replaced(text: str, tree: exp.Expr) -> exp.Expr:
    """A tree whose geometry DuckDB understands. Raises `AdqlError` for geometry that is none."""
    return _Geometry(text).replaced(tree)


class _Geometry:
    def __init__(self, text: str) -> None:
        self._text = text

    def replaced(self, node: exp.Expr) -> exp.Expr:
        """A part of a tree, made of DuckDB's functions."""
        if isinstance(node, exp.EQ | exp.NEQ) and (test := self._test(node)) is not None:
            return test
        if isinstance(node, exp.LT | exp.LTE) and _is(node.this, "DISTANCE"):
            return self._near(node)
        if isinstance(node, exp.Anonymous) and node.name.upper() in FUNCTIONS:
            return self._value(node)
        for name, part in list(node.args.items()):
            if isinstance(part, exp.Expr):
                node.set(name, self.replaced(part))
            elif isinstance(part, list):
                node.set(name, [self.replaced(p) if isinstance(p, exp.Expr) else p for p in part])
        return node

    def _test(self, node: exp.EQ | exp.NEQ) -> exp.Expr | None:
        """`CONTAINS(...) = 1` as a condition; None if the comparison is another."""
        for one, other in ((node.this, node.expression), (node.expression, node.this)):
            if _is(one, "CONTAINS", "INTERSECTS") and constant(other) in (0.0, 1.0):
                holds = (constant(other) == 1) == isinstance(node, exp.EQ)
                condition = exp.Paren(this=self._condition(one))
                return condition if holds else exp.Not(this=condition)
        return None

    def _near(self, node: exp.LT | exp.LTE) -> exp.Expr:
        """`DISTANCE(...) < r`, with a window if r is a number."""
        a, b = self._ends(node.this)
        radius = constant(node.expression)
        compared = type(node)(this=_separation(a, b), expression=self.replaced(node.expression))
        return compared if radius is None else _both(window(a, b, radius), compared)

    def _value(self, node: exp.Anonymous) -> exp.Expr:
        name = node.name.upper()
        if name in ("CONTAINS", "INTERSECTS"):
            return exp.cast(exp.Paren(this=self._condition(node)), "INTEGER")
        if name == "DISTANCE":
            return _separation(*self._ends(node))
        if name in ("POINT", "CIRCLE", "BOX", "POLYGON"):
            return self.shape(node).whole
        if len(node.expressions) != 1:
            raise refused(self._text, node, f"{name} takes one geometry")
        shape = self.shape(node.expressions[0])
        if name == "COORDSYS":
            return exp.Literal.string("ICRS")
        if name in ("COORD1", "COORD2"):
            if shape.kind != POINT:
                raise refused(self._text, node, f"{name} is of a POINT")
            return _part(shape, 0 if name == "COORD1" else 1)
        if name == "AREA":
            if shape.kind == POINT:
                return exp.Literal.number("0.0")
            return _call(f"adql_area_of_{shape.kind.lower()}", shape.whole)
        if shape.kind == POLYGON:
            return _call("adql_centroid_of_polygon", shape.whole)
        return exp.Array(expressions=[_part(shape, 0), _part(shape, 1)])

    # --- what is where

    def _condition(self, node: exp.Expr) -> exp.Expr:
        """Whether one geometry is in, or meets, another."""
        name = node.name.upper()
        if len(node.expressions) != 2:
            raise refused(self._text, node, f"{name} takes two geometries")
        a, b = map(self.shape, node.expressions)
        if name == "INTERSECTS" and POINT not in (a.kind, b.kind):
            a, b = sorted((a, b), key=lambda shape: shape.kind)
            return _call(f"adql_{a.kind}_meets_{b.kind}".lower(), a.whole, b.whole)
        if name == "INTERSECTS" and b.kind == POINT:
            a, b = b, a
        if b.kind == POINT:
            if a.kind != POINT or name == "CONTAINS":
                raise refused(self._text, node, "CONTAINS asks what lies in a circle or a polygon")
            return exp.EQ(this=_separation(a, b), expression=exp.Literal.number("0.0"))
        if a.kind == POINT and b.kind == CIRCLE:
            inside = exp.LTE(this=_separation(a, b), expression=_part(b, 2))
            return _both(window(a, b, constant(_part(b, 2)), _part(b, 2)), inside)
        inside = _call(f"adql_{a.kind}_in_{b.kind}".lower(), a.whole, b.whole)
        cap = bounding_cap(b) if a.kind == POINT else None
        return inside if cap is None else _both(window(a, _point(*cap[:2]), cap[2]), inside)

    def _ends(self, node: exp.Expr) -> tuple[Shape, Shape]:
        """The two positions between which DISTANCE is."""
        given = node.expressions
        if len(given) == 4:
            made = [self.replaced(part) for part in given]
            return _shape(POINT, made[:2]), _shape(POINT, made[2:])
        if len(given) != 2:
            raise refused(self._text, node, "DISTANCE takes two points, or four numbers")
        a, b = map(self.shape, given)
        if (a.kind, b.kind) != (POINT, POINT):
            raise refused(self._text, node, "DISTANCE is between two points")
        return a, b

    # --- geometries

    def shape(self, node: exp.Expr) -> Shape:
        """The geometry that an expression gives. Raises `AdqlError` if it gives none."""
        if isinstance(node, exp.Paren):
            return self.shape(node.this)
        kind = kind_of(node)
        if kind is None:
            raise refused(self._text, node, "a geometry was expected here, such as POINT(ra, dec)")
        if isinstance(node, exp.Column):
            return Shape(kind, (), node)
        if node.name.upper() == "CENTROID":
            return Shape(kind, (), self._value(node))  # type: ignore[arg-type]
        return self._made(node)

    def _made(self, node: exp.Expr) -> Shape:
        name, given = node.name.upper(), list(node.expressions)
        if given and isinstance(given[0], exp.Literal) and given[0].is_string:
            frame = given.pop(0)
            if frame.name.upper().strip() not in _FRAMES:
                raise refused(self._text, frame, f"positions are ICRS; {frame.name} is not served")
        numbers: list[exp.Expr] = []
        for part in given:
            if kind_of(part) == POINT:
                point = self.shape(part)
                numbers += [_part(point, 0), _part(point, 1)]
            else:
                numbers.append(self.replaced(part))
        wanted = {"POINT": 2, "CIRCLE": 3, "BOX": 4}.get(name)
        if wanted is not None and len(numbers) != wanted:
            words = {"POINT": "", "CIRCLE": ", radius", "BOX": ", width, height"}[name]
            raise refused(self._text, node, f"{name} is of ra, dec{words}, in degrees")
        if name == "POLYGON" and (len(numbers) < 6 or len(numbers) % 2):
            raise refused(self._text, node, "POLYGON is of three positions or more")
        if name == "BOX":
            return self._box(numbers)
        return _shape(_MADE[name], numbers)

    def _box(self, numbers: list[exp.Expr]) -> Shape:
        known = [constant(part) for part in numbers]
        if any(value is None for value in known):
            return Shape(POLYGON, (), _call("adql_box", *numbers))
        lon, lat, width, height = (value or 0.0 for value in known)
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        return _shape(
            POLYGON,
            [
                exp.Literal.number(repr(value))
                for x, y in corners
                for value in (lon + x * width / 2, lat + y * height / 2)
            ],
        )


def _shape(kind: str, numbers: list[exp.Expr]) -> Shape:
    whole = exp.Array(expressions=[part.copy() for part in numbers])
    return Shape(kind, tuple(numbers), exp.cast(whole, "DOUBLE[]"))


def _point(lon: float, lat: float) -> Shape:
    return _shape(POINT, [exp.Literal.number(repr(lon)), exp.Literal.number(repr(lat))])


def _part(shape: Shape, place: int) -> exp.Expr:
    """A number of a geometry."""
    if shape.parts:
        return shape.parts[place].copy()
    return _call("list_extract", shape.whole, exp.Literal.number(place + 1))


def _separation(a: Shape, b: Shape) -> exp.Expr:
    return _call("adql_separation", *(_part(shape, i) for shape in (a, b) for i in (0, 1)))


def _call(name: str, *parts: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=[part.copy() for part in parts])


def _is(node: exp.Expr, *names: str) -> bool:
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
    ways = {exp.Add: "__add__", exp.Sub: "__sub__", exp.Mul: "__mul__", exp.Div: "__truediv__"}
    if type(node) not in ways:
        return None
    a, b = constant(node.this), constant(node.expression)
    if a is None or b is None or (isinstance(node, exp.Div) and b == 0):
        return None
    return float(getattr(a, ways[type(node)])(b))


# --- the window


def window(a: Shape, b: Shape, radius: float | None, radius_node: exp.Expr | None = None) -> list[exp.Expr]:
    """Conditions that two positions fulfil if they are within a radius, and that are fast.

    radius: degrees, if it is a number; else radius_node is its expression.
    """
    fixed = [tuple(constant(_part(s, i)) for i in (0, 1)) for s in (a, b)]
    if None not in fixed[1] and radius is not None:
        return _around(a, fixed[1], radius)
    if None not in fixed[0] and radius is not None:
        return _around(b, fixed[0], radius)
    if radius is None and radius_node is None:
        return []
    size = exp.Paren(this=radius_node.copy()) if radius is None else _number(radius + _SLACK)
    here, there = _part(a, 1), exp.Paren(this=_part(b, 1))
    return [
        exp.Between(
            this=here,
            low=exp.Sub(this=there, expression=size),
            high=exp.Add(this=there.copy(), expression=size.copy()),
        )
    ]


def _around(shape: Shape, centre: tuple[float, ...], radius: float) -> list[exp.Expr]:
    """Conditions on a position that is within a radius of a fixed one."""
    lon, lat = centre
    reach = radius + _SLACK
    found: list[exp.Expr] = [_between(_part(shape, 1), lat - reach, lat + reach)]
    if not shape.parts or not _is_right_ascension(shape.parts[0]):
        return found
    if abs(lat) + reach >= 90 or not 0 <= reach < 90:
        return found
    half = math.degrees(math.asin(math.sin(math.radians(reach)) / math.cos(math.radians(lat))))
    half += _SLACK
    low, high = (lon - half) % 360, (lon + half) % 360
    if half >= 180:
        return found
    place = _part(shape, 0)
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


def _both(before: list[exp.Expr], after: exp.Expr) -> exp.Expr:
    whole = after
    for part in reversed(before):
        whole = exp.And(this=part, expression=whole)
    return exp.Paren(this=whole)
