"""Columns of the user's own, such as a redshift: what they are, and where their values lie.

All values of a galaxy are one row of the table `own_row`, in three lists: floating point, whole
numbers (of 64 bits, exact; booleans as 0 and 1), text. A column has a place in one of them, from 1
on. So the tables are those of every catalogue, and the view `own` has a column for each of the
user's; docs/decisions/own-columns.md tells what else was tried.
"""

from collections.abc import Sequence
from typing import NamedTuple

from zoolens.catalog.store.dictionary import Column

# Which list of `own_row` holds the values of a type.
LISTS = {
    "FLOAT": "numbers",
    "DOUBLE": "numbers",
    "BOOLEAN": "integers",
    "INTEGER": "integers",
    "BIGINT": "integers",
    "VARCHAR": "texts",
}
# The definition of each column by the newest complete run that gave it, in order of first coming.
# A number is a parameter: a run that counts although it is not complete, 0 for none.
DEFINITIONS = """SELECT name, last(type ORDER BY c.run_id), last(place ORDER BY c.run_id),
    last(unit ORDER BY c.run_id), last(ucd ORDER BY c.run_id), last(description ORDER BY c.run_id)
FROM own_column c JOIN run r ON r.run_id = c.run_id AND (r.status = 'complete' OR r.run_id = ?)
GROUP BY name ORDER BY min(c.run_id), min(c.rowid)"""
# Rows that count: of complete runs, and not replaced by a later one.
CURRENT = """own_row o JOIN run r ON r.run_id = o.run_id AND r.status = 'complete'
ANTI JOIN superseded_own s ON s.run_id = o.run_id AND s.galaxy_id = o.galaxy_id"""


class OwnColumn(NamedTuple):
    """A column of the user's own.

    type: in SQL, a key of `LISTS`; place: in its list, from 1; unit, ucd: as the table stated them,
    empty if it did not; description: what the table said it holds, or which table it is of.
    """

    name: str
    type: str
    place: int
    unit: str
    ucd: str
    description: str

    @property
    def said(self) -> Column:
        """What it means, as a column of a public view."""
        return Column(self.name, self.type, self.description, self.unit, self.ucd)

    @property
    def value(self) -> str:
        """SQL for its value in a row of `own_row o`."""
        stored = f"o.{LISTS[self.type]}[{self.place}]"
        return stored if self.type in _STORED else f"CAST({stored} AS {self.type})"


_STORED = ("DOUBLE", "BIGINT", "VARCHAR")


def quoted(name: str) -> str:
    """A name as SQL takes it whatever it is: a reserved word, or with odd characters."""
    return '"' + name.replace('"', '""') + '"'


def own_sql(columns: Sequence[OwnColumn]) -> str:
    """The query of the view `own`."""
    values = "".join(f",\n    {column.value} AS {quoted(column.name)}" for column in columns)
    return f"""SELECT o.galaxy_id, g.iauname{values}
FROM {CURRENT}
JOIN galaxy g ON g.galaxy_id = o.galaxy_id"""
