"""The public views as tables of TAP: what they are called, and what TAP_SCHEMA says of them.

TAP 1.1, section 4: TAP_SCHEMA describes every table that can be asked, itself too. It is made from
the dictionary (`catalog.store.dictionary`) alone, and so agrees with whatever else is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from zoolens.catalog.formats.columns import meaning
from zoolens.catalog.store.dictionary import PIECE, Column
from zoolens.catalog.store.own_columns import OwnColumn
from zoolens.catalog.store.together import has_piece
from zoolens.catalog.store.views import VIEWS, own_view

SCHEMAS = {
    "zoolens": "The catalogue: each table shows one run of its job; they belong together.",
    "history": "All runs of each job, whole, by run_id.",
    "tap_schema": "What can be asked here, as TAP 1.1 describes it.",
}
# VOTable's datatype, arraysize and xtype, by type in SQL.
VOTABLE = {
    "BOOLEAN": ("boolean", None, None),
    "SMALLINT": ("short", None, None),
    "INTEGER": ("int", None, None),
    "BIGINT": ("long", None, None),
    "FLOAT": ("float", None, None),
    "DOUBLE": ("double", None, None),
    "VARCHAR": ("unicodeChar", "*", None),
    "TIMESTAMP": ("char", "*", "timestamp"),
    "BLOB": ("unsignedByte", "*", None),
    "FLOAT[]": ("float", "*", None),
    "DOUBLE[]": ("double", "*", None),
}
UPLOADS = "tap_upload"  # the schema of tables that come with a query
_FLAG, _TEXT, _INT = "INTEGER", "VARCHAR", "INTEGER"


@dataclass(frozen=True)
class Published:
    """A table that others may ask: its schema and name, what a row is, its columns.

    place: schema and name in DuckDB; standard: whether TAP says what it holds; about: what the
    schema is, where it is another than `SCHEMAS` says.
    """

    schema: str
    name: str
    description: str
    columns: tuple[Column, ...]
    place: tuple[str, str]
    standard: bool = False
    about: str = ""

    @property
    def full(self) -> str:
        """Schema and name, as in a query."""
        return f"{self.schema}.{self.name}"


def published(own: Sequence[OwnColumn] = (), *, pieces: bool = False) -> list[Published]:
    """All tables of a catalogue that others may ask, TAP_SCHEMA's too.

    own: the user's columns; pieces: whether it is a survey, whose rows tell their piece.
    """
    views = [own_view(own) if view.name == "own" else view for view in VIEWS]
    found = []
    for schema, place in (("zoolens", "main"), ("history", "history")):
        found += [
            Published(
                schema,
                view.name,
                f"One row per {view.row}.",
                (*view.columns.values(), *([PIECE] if pieces and has_piece(view) else [])),
                (place, view.name),
            )
            for view in views
            if schema == "zoolens" or view.job is not None
        ]
    return found + standard_tables()


def standard_tables() -> list[Published]:
    """The tables of TAP_SCHEMA."""
    return list(_TAP_SCHEMA)


def schemas_of(tables: Sequence[Published]) -> dict[str, str]:
    """The schemas of tables, with what each is."""
    words = {table.schema: table.about for table in tables if table.about}
    return {table.schema: words.get(table.schema, SCHEMAS[table.schema]) for table in tables}


def votable_type(column: Column) -> tuple[str, str | None, str | None]:
    """VOTable's datatype, arraysize and xtype of a column."""
    kind, size, xtype = VOTABLE[column.type]
    return kind, column.arraysize or size, column.xtype or xtype


def _kind(field: pa.Field) -> str:
    """What is to be known of an uploaded column's type: a geometry, or that its text is ASCII."""
    xtype = _xtype(field).upper()
    if xtype in ("POINT", "CIRCLE", "POLYGON"):
        return xtype
    return "CHAR" if (field.metadata or {}).get(b"datatype") == b"char" else ""


def _xtype(field: pa.Field) -> str:
    return str((field.metadata or {}).get(b"xtype", b"").decode())


def uploaded(name: str, schema: pa.Schema) -> Published:
    """A table that came with a query."""
    columns = tuple(
        Column(field.name, _kind(field), said.description, said.unit, said.ucd, xtype=_xtype(field))
        for field, said in ((field, meaning(field)) for field in schema)
    )
    return Published(UPLOADS, name, "", columns, ("temp", f"{UPLOADS}_{name}"))


def _standard(name: str, description: str, *columns: tuple[str, str, str]) -> Published:
    made = tuple(Column(*column) for column in columns)
    return Published("tap_schema", name, description, made, ("temp", f"tap_schema_{name}"), True)


_TAP_SCHEMA = (
    _standard(
        "schemas",
        "One row per schema.",
        ("schema_name", _TEXT, "name of the schema"),
        ("utype", _TEXT, "place in a data model; NULL for none"),
        ("description", _TEXT, "what its tables are about"),
        ("schema_index", _INT, "place among the schemas, from 1"),
    ),
    _standard(
        "tables",
        "One row per table.",
        ("schema_name", _TEXT, "schema that the table is in"),
        ("table_name", _TEXT, "name of the table as in a query"),
        ("table_type", _TEXT, "table or view"),
        ("utype", _TEXT, "place in a data model; NULL for none"),
        ("description", _TEXT, "what a row is"),
        ("table_index", _INT, "place among the tables of the schema, from 1"),
    ),
    _standard(
        "columns",
        "One row per column of a table.",
        ("table_name", _TEXT, "table that the column is of"),
        ("column_name", _TEXT, "name of the column as in a query"),
        ("datatype", _TEXT, "type in VOTable"),
        ("arraysize", _TEXT, "length in VOTable; NULL for single values"),
        ("xtype", _TEXT, "what the values are, beyond their type (DALI); NULL for none"),
        ("size", _INT, "deprecated by TAP 1.1 for arraysize; NULL"),
        ("description", _TEXT, "what the column holds, with its range"),
        ("utype", _TEXT, "place in a data model; NULL for none"),
        ("unit", _TEXT, "unit, as in VOUnit; NULL for none"),
        ("ucd", _TEXT, "Unified Content Descriptor 1+; NULL for none"),
        ("indexed", _FLAG, "whether a condition on it is fast, 0 or 1"),
        ("principal", _FLAG, "whether most who ask want it, 0 or 1"),
        ("std", _FLAG, "whether a standard says what it holds, 0 or 1"),
        ("column_index", _INT, "place among the columns of the table, from 1"),
    ),
    _standard(
        "keys",
        "One row per pair of tables that can be joined.",
        ("key_id", _TEXT, "number of the key"),
        ("from_table", _TEXT, "table with the key"),
        ("target_table", _TEXT, "table that the key leads to"),
        ("description", _TEXT, "what the join gives"),
        ("utype", _TEXT, "place in a data model; NULL for none"),
    ),
    _standard(
        "key_columns",
        "One row per column of a key.",
        ("key_id", _TEXT, "number of the key"),
        ("from_column", _TEXT, "column of the table with the key"),
        ("target_column", _TEXT, "column of the table that it leads to"),
    ),
)
# Columns that lead to another table: its name, its column, and what it holds.
_LEADS = {
    "galaxy_id": ("zoolens.galaxies", "galaxy_id", "the galaxy"),
    "label": ("zoolens.answers", "label", "the answer and its question"),
    "run_id": ("zoolens.runs", "run_id", "the run that made the row"),
}
# Where galaxies have no numbers, as in a release.
_BY_NAME = _LEADS | {"iauname": ("zoolens.galaxies", "iauname", "the galaxy")}
_TO_TABLE = ("tap_schema.tables", "table_name", "the table")
_STANDARD_LEADS = {
    "tables": {"schema_name": ("tap_schema.schemas", "schema_name", "the schema")},
    "columns": {"table_name": _TO_TABLE},
    "keys": {"from_table": _TO_TABLE, "target_table": _TO_TABLE},
    "key_columns": {"key_id": ("tap_schema.keys", "key_id", "the key")},
}


def tap_schema(tables: Sequence[Published], written: Callable[[str], str]) -> dict[str, pa.Table]:
    """The rows of TAP_SCHEMA's tables, by the name of the table in DuckDB.

    written: a name as a query has to write it, in quotes where it is a word of ADQL.
    """
    schemas = schemas_of(tables)
    rows: dict[str, list[tuple[object, ...]]] = {
        "schemas": [
            (name, None, words, place)
            for place, (name, words) in enumerate(schemas.items(), start=1)
        ],
        "tables": [
            (
                *(table.schema, table.full, "table" if table.standard else "view"),
                *(None, table.description, place),
            )
            for name in schemas
            for place, table in enumerate((t for t in tables if t.schema == name), start=1)
        ],
        "columns": [row for table in tables for row in _column_rows(table, written)],
        "keys": [],
        "key_columns": [],
    }
    for number, key in enumerate(keys(tables), start=1):
        name = f"{number:03d}"
        rows["keys"].append((name, key.table.full, key.target, key.words, None))
        rows["key_columns"].append((name, key.column, key.target_column))
    return {table.place[1]: _arrow(table, rows[table.name]) for table in _TAP_SCHEMA}


def _column_rows(table: Published, written: Callable[[str], str]) -> list[tuple[object, ...]]:
    return [
        (
            *(table.full, written(column.name), *votable_type(column), None, column.description),
            *(None, column.unit or None, column.ucd or None),
            *(int(column.name in ("ra", "dec")), 1, int(table.standard), place),
        )
        for place, column in enumerate(table.columns, start=1)
    ]


class Key(NamedTuple):
    """A column that leads to one of another table, and what to."""

    table: Published
    column: str
    target: str
    target_column: str
    words: str


def keys(tables: Sequence[Published]) -> list[Key]:
    """Which columns lead to other tables that there are."""
    found = []
    there = {table.full for table in tables}
    for table in tables:
        numbered = any(column.name == "galaxy_id" for column in table.columns)
        leads = _STANDARD_LEADS.get(table.name, {}) if table.standard else _LEADS
        if not (numbered or table.standard):
            leads = _BY_NAME
        for column in table.columns:
            target, name, words = leads.get(column.name, (table.full, "", ""))
            if target != table.full and target in there:
                found.append(Key(table, column.name, target, name, words))
    return found


def _arrow(table: Published, rows: list[tuple[object, ...]]) -> pa.Table:
    kinds = {"INTEGER": pa.int32(), "VARCHAR": pa.string()}
    columns = zip(*rows, strict=True) if rows else ([] for _ in table.columns)
    arrays = [
        pa.array(list(values), kinds[column.type])
        for column, values in zip(table.columns, columns, strict=True)
    ]
    return pa.table(arrays, names=[column.name for column in table.columns])
