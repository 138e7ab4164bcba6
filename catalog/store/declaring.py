"""How tables are declared: names, keys, and the columns that several of them have."""

from typing import Any

from sqlalchemy import Column, Double, Float, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

# Where a map lies: shares of its absolute value, of its increase and of its decrease.
SHARES = tuple(
    f"{part}on_{place}"
    for part in ("", "increase_", "decrease_")
    for place in ("galaxy", "neighbours", "sky")
)


def table(name: str, *columns: Column) -> Table:
    """A table of the catalogue."""
    return Table(name, metadata, *columns)


def key(name: str, type_: Any = Integer) -> Column:
    """A column without NULLs."""
    return Column(name, type_, nullable=False, autoincrement=False)


def maps() -> list[Column]:
    """The columns that hold saliency maps."""
    return [
        key("height"),
        key("width"),
        key("dtype", String),
        key("mean", LargeBinary),
        key("sd", LargeBinary),
    ]


def statistics() -> list[Column]:
    """The columns that tell of one map."""
    return [
        Column("on_target", Float),
        Column("centroid_offset", Float),
        Column("entropy", Float),
        key("peak_x"),
        key("peak_y"),
        key("increase", Double),
        key("decrease", Double),
        *(Column(name, Float) for name in SHARES),
    ]
