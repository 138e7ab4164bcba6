"""Tables with columns of the user's own: looked through once for types, then read in blocks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.columns import Meaning
from zoolens.catalog.formats.identifiers import check_digits, identifier_columns
from zoolens.catalog.formats.reading import TableFile, check_identifiers_type
from zoolens.catalog.formats.stated import stated_meanings
from zoolens.catalog.formats.typed import Told, stored_type, typed, widened
from zoolens.catalog.own.asked import asked, conflict
from zoolens.catalog.store.own_columns import LISTS, OwnColumn
from zoolens.catalog.store.rejects import Reject
from zoolens.catalog.votes.checks import Rows, check_identifiers, repeated, repeated_reason


@dataclass(frozen=True)
class Survey:
    """What a first look through a table found.

    types: of the columns, by their new names; None for text without any value. names: identifiers
    of all rows; repeated: rows whose identifier an earlier row has, and that row; ragged: what is
    wrong with rows of another length than the header, by number.
    """

    types: Mapping[str, str | None]
    names: pa.ChunkedArray
    repeated: Mapping[int, int]
    ragged: Mapping[int, str]


class OwnTable:
    """A table, of which some columns are to be kept.

    columns: its columns by the names that they are to have; meanings: what the file says of them,
    likewise; told: whether their types are told from their values. Raises `TableRefused` for a
    table that cannot be understood, and what
    `catalog.own.asked.asked` raises.
    """

    def __init__(self, path: Path, names: Sequence[str], identifier: str | None) -> None:
        self._file = TableFile(path)
        self.path = path = self._file.path
        schema = self._file.schema
        self.columns = asked(path, schema.names, names)
        self.identifier = identifier_columns(path, schema.names, identifier)
        check_identifiers_type(path, schema, self.identifier)
        self.told = path.name.lower().endswith((".csv", ".csv.gz"))
        self._stored = {
            new: stored_type(path, schema.field(old)) for new, old in self.columns.items()
        }
        stated = stated_meanings(path, schema)
        self.meanings = {new: stated.get(old, Meaning("")) for new, old in self.columns.items()}

    def survey(
        self, held: Mapping[str, OwnColumn], known: Mapping[str, str | None] = MappingProxyType({})
    ) -> Survey:
        """Look through the whole table.

        held: the user's columns that the catalogue has, by name; known: types of columns, likewise,
        that are not to be told from these rows.

        Raises `TableRefused` also if its identifiers went through floating point.
        """
        told = {new: Told() for new in self.columns if self.told and new not in known}
        read = [self.columns[new] for new in told]
        names, numbered, ragged = [], [], dict[int, str]()
        for numbers, content in self._file.blocks(self._with_identifier(read), ragged):
            for new, one in told.items():
                one.see(content[self.columns[new]])
            block = Rows(self.path, content.select(self._identifiers), self.identifier, numbers)
            names.append(pa.array(block.names, pa.string()))
            numbered.append(numbers)
        if not names:
            raise TableRefused(
                f"{self.path} has a header but no row of that length; is it complete?"
            )
        every, rows = pa.chunked_array(names), np.concatenate(numbered)
        given = (name for chunk in every.chunks for name in chunk.to_pylist())
        check_digits(self.path, self.identifier, given)
        which, first = repeated(every.fill_null(""))
        types = {
            new: told[new].type(held[new].type if new in held else None) if new in told else stored
            for new, stored in self._stored.items()
        }
        types.update(known)
        pairs = zip(which.tolist(), first.tolist(), strict=True)
        twice = {int(rows[i]): int(rows[k]) for i, k in pairs if every[i].is_valid}
        return Survey(types, every, twice, ragged)

    def blocks(self, survey: Survey) -> Iterator[Rows]:
        """The rows, thousands at a time, checked: those that cannot be of a galaxy are refused."""
        read = self._with_identifier(self.columns.values())
        for numbers, content in self._file.blocks(read, {}):
            rows = Rows(self.path, content, self.identifier, numbers)
            check_identifiers(rows)
            for i, number in enumerate(numbers.tolist()):
                if rows.good[i] and number in survey.repeated:
                    rows.add(number, rows.names[i], repeated_reason(survey.repeated[number]))
                    rows.good[i] = False
            yield rows

    def identified(self) -> Iterator[Rows]:
        """The identifiers of all rows, not checked."""
        for numbers, content in self._file.blocks(self._identifiers, {}):
            yield Rows(self.path, content, self.identifier, numbers)

    def values(self, rows: Rows, columns: Sequence[OwnColumn]) -> dict[str, pa.Array]:
        """Values (N,) of a block's N rows by column, of the types that `columns` have."""
        return {
            column.name: self._values(rows, column.name, column.type)
            for column in columns
            if column.name in self.columns
        }

    def refused(self, survey: Survey) -> list[Reject]:
        """The rows of another length than the header."""
        return [
            Reject(str(self.path), row, None, f"ragged row: {what}")
            for row, what in survey.ragged.items()
        ]

    def _values(self, rows: Rows, name: str, kind: str) -> pa.Array:
        old = self.columns[name]
        where = f"{self.path}, from row {rows.numbers[0]} on: column {old}"
        return typed(where, rows.table[old], kind, told=self.told)

    @property
    def _identifiers(self) -> list[str]:
        return self.identifier.split(",")

    def _with_identifier(self, columns: Iterable[str]) -> list[str]:
        return [*dict.fromkeys([*self._identifiers, *columns])]


def defined(table: OwnTable, survey: Survey, held: Sequence[OwnColumn]) -> list[OwnColumn]:
    """The columns that a table brings, each with a place of its own among those there are.

    Raises `TableRefused` for one without any value, or of another kind or unit than the catalogue's
    column of that name.
    """
    known = {column.name: column for column in held}
    last = dict.fromkeys(LISTS.values(), 0)
    for column in held:
        last[LISTS[column.type]] = max(last[LISTS[column.type]], column.place)
    found = []
    for name, kind in survey.types.items():
        said, old = table.meanings[name], known.get(name)
        if kind is None:
            raise TableRefused(
                f"{table.path} has no value in any row of {table.columns[name]!r}; leave it out"
            )
        if old is None:
            last[LISTS[kind]] += 1
            words = said.description or f"{table.columns[name]} of {table.path.name}"
            found.append(OwnColumn(name, kind, last[LISTS[kind]], said.unit, said.ucd, words))
            continue
        wide = widened(old.type, kind)
        if wide is None:
            raise conflict(table.path, name, old.type, kind)
        if said.unit and old.unit and said.unit != old.unit:
            raise conflict(table.path, name, f"in {old.unit}", f"in {said.unit}")
        found.append(
            OwnColumn(
                name,
                wide,
                old.place,
                said.unit or old.unit,
                said.ucd or old.ucd,
                said.description or old.description,
            )
        )
    return found
