"""What strangers are not told: in which folders of the machine files lie. Names of files they are.

Tables with such columns are read through views of one connection, in place of the catalogue's own.
"""

from collections.abc import Sequence
from dataclasses import replace

from zoolens.catalog.store.published import Published

_FILE = (r"^.*[/\\]", "")
# By table and column: a folder in a text, and what stands in its place.
_FOLDERS = {
    "galaxies": {"image": _FILE},
    "rejects": {"source": _FILE, "reason": (r"(^|[^\w./])/.*/", r"\1")},
    "runs": {"config": (r'"(/|[A-Za-z]:\\)[^"]*[/\\]', '"')},
}


def without_folders(tables: Sequence[Published]) -> list[Published]:
    """Tables, those that name folders being read where `views` makes them."""
    return [
        replace(table, place=_place(table))
        if table.schema == "zoolens" and table.name in _FOLDERS
        else table
        for table in tables
    ]


def views(tables: Sequence[Published], used: set[str]) -> list[str]:
    """SQL of the views in which `tables` are read, of those that a query uses.

    used: by their whole names.
    """
    made = []
    for table in tables:
        if table.place == _place(table) and table.full in used:
            columns = ", ".join(
                f"{_stripped(column, folder)} AS {column}"
                for column, folder in _FOLDERS[table.name].items()
            )
            made.append(
                f"CREATE TEMP VIEW told_{table.name} AS "
                f"SELECT * REPLACE ({columns}) FROM main.{table.name}"
            )
    return made


def _place(table: Published) -> tuple[str, str]:
    return "temp", f"told_{table.name}"


def _stripped(column: str, folder: tuple[str, str]) -> str:
    pattern, instead = folder
    return f"regexp_replace({column}, '{pattern}', '{instead}', 'g')"
