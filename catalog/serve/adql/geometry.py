"""ADQL's geometry as DuckDB has it (`catalog.store.sphere`).

ADQL 2.1, section 4.2. Positions are ICRS, in degrees. Before what is slow comes a window of
declination and right ascension (`catalog.serve.adql.window`).
"""

from sqlglot import exp

from zoolens.catalog.serve.adql.parsing import refused
from zoolens.catalog.serve.adql.shapes import (
    CIRCLE,
    MADE,
    POINT,
    POLYGON,
    Shape,
    call,
    constant,
    fixed_point,
    is_call,
    kind_of,
    number_in,
    separation,
    shape_of,
)
from zoolens.catalog.serve.adql.window import both, bounding_cap, window

FUNCTIONS = {
    *MADE,
    *("CONTAINS", "INTERSECTS", "DISTANCE", "AREA", "COORD1", "COORD2", "COORDSYS"),
}
_FRAMES = ("", "ICRS", "ICRS GEOCENTER", "ICRS BARYCENTER", "FK5", "J2000", "UNKNOWNFRAME")


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
        if isinstance(node, exp.LT | exp.LTE) and is_call(node.this, "DISTANCE"):
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
            if is_call(one, "CONTAINS", "INTERSECTS") and constant(other) in (0.0, 1.0):
                holds = (constant(other) == 1) == isinstance(node, exp.EQ)
                condition = exp.Paren(this=self._condition(one))
                return condition if holds else exp.Not(this=condition)
        return None

    def _near(self, node: exp.LT | exp.LTE) -> exp.Expr:
        """`DISTANCE(...) < r`, with a window if r is a number."""
        a, b = self._ends(node.this)
        radius = constant(node.expression)
        compared = type(node)(this=separation(a, b), expression=self.replaced(node.expression))
        return compared if radius is None else both(window(a, b, radius), compared)

    def _value(self, node: exp.Anonymous) -> exp.Expr:
        name = node.name.upper()
        if name in ("CONTAINS", "INTERSECTS"):
            return exp.cast(exp.Paren(this=self._condition(node)), "INTEGER")
        if name == "DISTANCE":
            return separation(*self._ends(node))
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
            return number_in(shape, 0 if name == "COORD1" else 1)
        if name == "AREA":
            if shape.kind == POINT:
                return exp.Literal.number("0.0")
            return call(f"adql_area_of_{shape.kind.lower()}", shape.whole)
        if shape.kind == POLYGON:
            return call("adql_centroid_of_polygon", shape.whole)
        return exp.Array(expressions=[number_in(shape, 0), number_in(shape, 1)])

    # --- what is where

    def _condition(self, node: exp.Expr) -> exp.Expr:
        """Whether one geometry is in, or meets, another."""
        name = node.name.upper()
        if len(node.expressions) != 2:
            raise refused(self._text, node, f"{name} takes two geometries")
        a, b = map(self.shape, node.expressions)
        if name == "INTERSECTS" and POINT not in (a.kind, b.kind):
            a, b = sorted((a, b), key=lambda shape: shape.kind)
            return call(f"adql_{a.kind}_meets_{b.kind}".lower(), a.whole, b.whole)
        if name == "INTERSECTS" and b.kind == POINT:
            a, b = b, a
        if b.kind == POINT:
            if a.kind != POINT or name == "CONTAINS":
                raise refused(self._text, node, "CONTAINS asks what lies in a circle or a polygon")
            return exp.EQ(this=separation(a, b), expression=exp.Literal.number("0.0"))
        if a.kind == POINT and b.kind == CIRCLE:
            near = exp.LTE(this=separation(a, b), expression=number_in(b, 2))
            return both(window(a, b, constant(number_in(b, 2)), number_in(b, 2)), near)
        inside = call(f"adql_{a.kind}_in_{b.kind}".lower(), a.whole, b.whole)
        cap = bounding_cap(b) if a.kind == POINT else None
        return inside if cap is None else both(window(a, fixed_point(*cap[:2]), cap[2]), inside)

    def _ends(self, node: exp.Expr) -> tuple[Shape, Shape]:
        """The two positions between which DISTANCE is."""
        given = node.expressions
        if len(given) == 4:
            made = [self.replaced(part) for part in given]
            for point in (made[:2], made[2:]):
                self._check_places(POINT, node, point)
            return shape_of(POINT, made[:2]), shape_of(POINT, made[2:])
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
                numbers += [number_in(point, 0), number_in(point, 1)]
            else:
                numbers.append(self.replaced(part))
        wanted = {"POINT": 2, "CIRCLE": 3, "BOX": 4}.get(name)
        if wanted is not None and len(numbers) != wanted:
            words = {"POINT": "", "CIRCLE": ", radius", "BOX": ", width, height"}[name]
            raise refused(self._text, node, f"{name} is of ra, dec{words}, in degrees")
        if name == "POLYGON" and (len(numbers) < 6 or len(numbers) % 2):
            raise refused(self._text, node, "POLYGON is of three positions or more")
        self._check_places(name, node, numbers)
        if name == "BOX":
            return self._box(numbers)
        return shape_of(MADE[name], numbers)

    def _check_places(self, name: str, node: exp.Expr, numbers: list[exp.Expr]) -> None:
        """Raises `AdqlError` for a declination, radius or size that is a number and none."""
        known = [constant(part) for part in numbers]
        places = known if name == "POLYGON" else known[:2]
        for dec in places[1::2]:
            if dec is not None and not -90 <= dec <= 90:
                words = f"a declination is -90 to 90 degrees, and this one {dec:g}"
                raise refused(self._text, node, words)
        what, most = ("radius", 180) if name == "CIRCLE" else ("width or height", 360)
        for size in known[len(places) :]:
            if size is not None and not 0 <= size <= most:
                words = f"a {what} is 0 to {most} degrees, and this one {size:g}"
                raise refused(self._text, node, words)

    def _box(self, numbers: list[exp.Expr]) -> Shape:
        known = [constant(part) for part in numbers]
        if any(value is None for value in known):
            return Shape(POLYGON, (), call("adql_box", *numbers))
        lon, lat, width, height = (value or 0.0 for value in known)
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
        return shape_of(
            POLYGON,
            [
                exp.Literal.number(repr(value))
                for x, y in corners
                for value in (lon + x * width / 2, lat + y * height / 2)
            ],
        )
