"""Geometry on the sphere as macros of DuckDB: what ADQL's functions become.

A point is a list [lon, lat], a circle [lon, lat, radius], a polygon [lon1, lat1, lon2, lat2, ...],
in degrees; the sides of a polygon are arcs of great circles, and it is the smaller of the two parts
into which they cut the sphere, whichever way round its corners are given, and less than half of it.
What is on an edge is inside, as far as double precision tells.

Distances by Vincenty's formula (Survey Review 23, 88, 1975), which is exact at all of them; areas
by van Oosterom & Strackee (IEEE Trans. Biomed. Eng. 30, 125, 1983), over triangles from one corner;
whether arcs cross by the signs of four determinants; a point is inside a polygon if the corners go
once round it as seen from there.

DuckDB writes a macro's argument wherever its name is, so one that is long is bound to a name first.
"""


def _let(body: str, **named: str) -> str:
    """An expression over `s`, whose parts are computed once."""
    parts = ", ".join(f"'{name}': {sql}" for name, sql in named.items())
    return f"list_transform([{{{parts}}}], lambda s: {body})[1]"


def _edges(corners: str) -> str:
    """The edges of a polygon, from `a` to `b`."""
    following = f"{corners}[i % len({corners}) + 1]"
    return (
        f"list_transform(range(1, len({corners}) + 1), "
        f"lambda i: {{'a': {corners}[i], 'b': {following}}})"
    )


def _dot(a: str, b: str) -> str:
    return f"array_inner_product({a}, {b})"


def _cross(a: str, b: str) -> str:
    return f"array_cross_product({a}, {b})"


def _determinant(a: str, b: str, c: str) -> str:
    return _dot(a, _cross(b, c))


def _angle(a: str, b: str) -> str:
    """Radians between two vectors."""
    return f"atan2(sqrt({_dot(_cross(a, b), _cross(a, b))}), {_dot(a, b)})"


def _sum(vectors: str) -> str:
    parts = ", ".join(
        f"list_sum(list_transform({vectors}, lambda x: x[{axis}]))" for axis in (1, 2, 3)
    )
    return f"array_value({parts})"


_TURN = "radians(lon2 - lon1)"
_WINDING = f"""list_sum(list_transform({_edges("s.c")}, lambda e: atan2(
    {_determinant("s.v", "e.a", "e.b")},
    {_dot("e.a", "e.b")} - {_dot("s.v", "e.a")} * {_dot("s.v", "e.b")})))"""
# to an arc whose normal is s.n: to where it is nearest if that is on the arc, else to its ends
_TO_ARC = f"""CASE WHEN {_determinant("s.v", "s.n", "s.a")} >= 0
    AND {_determinant("s.v", "s.n", "s.b")} <= 0
    THEN asin(least(1, abs({_dot("s.v", "s.n")}) / sqrt({_dot("s.n", "s.n")})))
    ELSE least({_angle("s.v", "s.a")}, {_angle("s.v", "s.b")}) END"""
_SIGNS = [
    ("e.a", "f.a", "e.b"),
    ("f.a", "e.b", "f.b"),
    ("e.b", "f.b", "e.a"),
    ("f.b", "e.a", "f.a"),
]
_ARCS_CROSS = "abs({}) = 4".format(" + ".join(f"sign({_determinant(*abc)})" for abc in _SIGNS))
_SOLID_ANGLE = f"""2 * atan2({_determinant("s.c[1]", "s.c[i]", "s.c[i + 1]")},
    1 + {_dot("s.c[1]", "s.c[i]")} + {_dot("s.c[i]", "s.c[i + 1]")}
    + {_dot("s.c[i + 1]", "s.c[1]")})"""
# the mean position of a polygon is along the sum of its edges' normals, each by its length
_NORMAL = _let(
    f"""list_transform([s.n[1], s.n[2], s.n[3]],
    lambda x: x * {_angle("s.a", "s.b")} / sqrt({_dot("s.n", "s.n")}))""",
    a="e.a",
    b="e.b",
    n=_cross("e.a", "e.b"),
)

# By name, with its parameters: one that uses another comes after it.
_MACROS: dict[str, str] = {
    "adql_separation(lon1, lat1, lon2, lat2)": f"""degrees(atan2(
        sqrt(pow(cos(radians(lat2)) * sin({_TURN}), 2) + pow(cos(radians(lat1)) * sin(radians(lat2))
            - sin(radians(lat1)) * cos(radians(lat2)) * cos({_TURN}), 2)),
        sin(radians(lat1)) * sin(radians(lat2))
            + cos(radians(lat1)) * cos(radians(lat2)) * cos({_TURN})))""",
    "adql_vector(lon, lat)": """array_value(cos(radians(lat)) * cos(radians(lon)),
        cos(radians(lat)) * sin(radians(lon)), sin(radians(lat)))""",
    "adql_corners(g)": "list_transform(range(1, len(g) // 2 + 1), "
    "lambda i: adql_vector(g[2 * i - 1], g[2 * i]))",
    # parts of others: of a vector v, and corners c, d of polygons
    "adql_within(v, c)": _let(
        f"{_dot('s.v', _sum('s.c'))} > 0 AND abs({_WINDING}) >= pi()", v="v", c="c"
    ),
    "adql_to_arc(v, a, b)": _let(_TO_ARC, v="v", a="a", b="b", n=_cross("a", "b")),
    "adql_to_edge(v, c)": _let(
        f"list_min(list_transform({_edges('s.c')}, lambda e: adql_to_arc(s.v, e.a, e.b)))",
        v="v",
        c="c",
    ),
    "adql_edges_cross(c, d)": _let(
        "list_bool_or(list_transform(s.c, lambda e: "
        f"list_bool_or(list_transform(s.d, lambda f: {_ARCS_CROSS}))))",
        c=_edges("c"),
        d=_edges("d"),
    ),
    "adql_all_within(c, d)": "list_bool_and(list_transform(c, lambda p: adql_within(p, d)))",
    "adql_any_within(c, d)": "list_bool_or(list_transform(c, lambda p: adql_within(p, d)))",
    # what ADQL asks: which kind lies in, or meets, which kind
    "adql_point_in_circle(p, c)": "adql_separation(p[1], p[2], c[1], c[2]) <= c[3]",
    # arrays cannot hold NULL: where a position is missing another stands in, and is not said
    "adql_there(p)": "adql_vector(coalesce(p[1], 0), coalesce(p[2], 0))",
    "adql_known(p, found)": "CASE WHEN p[1] + p[2] IS NOT NULL THEN found END",
    "adql_point_in_polygon(p, g)": "adql_known(p, adql_within(adql_there(p), adql_corners(g)))",
    "adql_circle_in_circle(a, b)": "adql_separation(a[1], a[2], b[1], b[2]) + a[3] <= b[3]",
    "adql_circle_in_polygon(c, g)": """adql_known(c, adql_within(adql_there(c), adql_corners(g))
        AND adql_to_edge(adql_there(c), adql_corners(g)) >= radians(c[3]))""",
    "adql_polygon_in_circle(g, c)": """list_bool_and(list_transform(range(1, len(g) // 2 + 1),
        lambda i: adql_separation(g[2 * i - 1], g[2 * i], c[1], c[2]) <= c[3]))""",
    "adql_polygon_in_polygon(a, b)": """adql_all_within(adql_corners(a), adql_corners(b))
        AND NOT adql_edges_cross(adql_corners(a), adql_corners(b))""",
    "adql_circle_meets_circle(a, b)": "adql_separation(a[1], a[2], b[1], b[2]) <= a[3] + b[3]",
    "adql_circle_meets_polygon(c, g)": """adql_known(c, adql_within(adql_there(c),
        adql_corners(g)) OR adql_to_edge(adql_there(c), adql_corners(g)) <= radians(c[3]))""",
    "adql_polygon_meets_polygon(a, b)": """adql_any_within(adql_corners(a), adql_corners(b))
        OR adql_any_within(adql_corners(b), adql_corners(a))
        OR adql_edges_cross(adql_corners(a), adql_corners(b))""",
    "adql_box(lon, lat, width, height)": """[lon - width / 2, lat - height / 2,
        lon + width / 2, lat - height / 2, lon + width / 2, lat + height / 2,
        lon - width / 2, lat + height / 2]""",
    "adql_area_of_circle(c)": "degrees(degrees(2 * pi() * (1 - cos(radians(c[3])))))",
    "adql_area_of_polygon(g)": _let(
        "degrees(degrees(abs(list_sum(list_transform(range(2, len(s.c)), "
        f"lambda i: {_SOLID_ANGLE})))))",
        c="adql_corners(g)",
    ),
    "adql_lon_lat(v)": """[(degrees(atan2(v[2], v[1])) + 360) % 360,
        degrees(atan2(v[3], sqrt(v[1] * v[1] + v[2] * v[2])))]""",
    "adql_normals(c)": _let(
        f"{_sum('s.n')}", n=f"list_transform({_edges('c')}, lambda e: {_NORMAL})"
    ),
    "adql_centroid_of_polygon(g)": _let(
        "adql_lon_lat(list_transform([s.n[1], s.n[2], s.n[3]], "
        f"lambda x: x * sign({_dot('s.n', 's.m')})))",
        n="adql_normals(adql_corners(g))",
        m=_sum("adql_corners(g)"),
    ),
}
MACROS = tuple(f"CREATE TEMP MACRO {name} AS ({sql})" for name, sql in _MACROS.items())
