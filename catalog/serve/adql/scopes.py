"""What a SELECT has after FROM: tables, and the columns that their names stand for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from zoolens.catalog.store.dictionary import Column


@dataclass
class Scope:
    """What a SELECT has after FROM: columns by the name of each table, and where they merge.

    schemas: of those tables that were named with none of their own name; merged: names that stand
    for one column in several tables (USING, NATURAL).
    """

    tables: dict[str, Sequence[Column]] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)
    merged: set[str] = field(default_factory=set)

    def holding(self, name: str) -> list[Column]:
        """The columns of that name."""
        found = [c for columns in self.tables.values() for c in columns if same(c.name, name)]
        return found[:1] if name.lower() in self.merged else found

    def all(self, only: str | None = None) -> Iterator[tuple[str | None, Column]]:
        """What `*` stands for: each column with its table, without one where several have it."""
        seen: set[str] = set()
        for table, columns in self.tables.items():
            if only is not None and table != only:
                continue
            for column in columns:
                merged = only is None and column.name.lower() in self.merged
                if not merged:
                    yield table, column
                elif column.name.lower() not in seen:
                    seen.add(column.name.lower())
                    yield None, column


def same(one: str, other: str) -> bool:
    """Whether two names are one: ADQL's regular names are so whatever their case."""
    return one.lower() == other.lower()
