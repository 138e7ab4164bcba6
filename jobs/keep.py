"""`keep`: columns of the user's own, such as a redshift, from a table into the catalogue."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import NothingHere, TableRefused
from zoolens.catalog.formats.reading import table_digest
from zoolens.catalog.own.asked import check_names
from zoolens.catalog.own.reading import OwnTable, Survey, defined
from zoolens.catalog.release.columns import release_columns
from zoolens.catalog.store.dictionary import COLUMNS
from zoolens.catalog.store.galaxies import shown_galaxies
from zoolens.catalog.store.ingests import held_tree
from zoolens.catalog.store.kinds import is_refused
from zoolens.catalog.store.own_columns import OwnColumn
from zoolens.catalog.store.own_rows import (
    begin_keep,
    column_table,
    columns_of,
    finish_keep,
    own_columns,
    replaced_values,
    row_table,
)
from zoolens.catalog.store.ranking import RANKED
from zoolens.catalog.store.rejects import counts_by_kind, reject_table
from zoolens.catalog.store.shards import Part, as_they_are, fill
from zoolens.catalog.store.sharing import Shares, Strangers, shares_of
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.votes.checks import Rows, named
from zoolens.jobs.reports import InNotebook

_LOOKED_UP = 100_000  # identifiers at a time


@dataclass(frozen=True)
class KeepReport(InNotebook):
    """What was kept.

    run_id: None of a survey whose pieces have runs of different numbers. columns: by name, with
    their types in SQL; galaxies: how many have got other values than they
    had; rejects: how many, by kind. replaced: of how many galaxies a value was replaced, by column.
    changed: False if the same was kept before.
    """

    job: ClassVar[str] = "keep"
    run_id: int | None
    columns: Mapping[str, str]
    galaxies: int
    rejects: Mapping[str, int]
    replaced: Mapping[str, int]
    changed: bool

    @property
    def summary(self) -> str:
        kept = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        said = [kept, f"values of {_counted(self.galaxies)}"]
        refused = [f"{n:,} {kind}" for kind, n in self.rejects.items() if is_refused(kind)]
        return "; ".join([*said, *(["refused: " + ", ".join(refused)] if refused else [])])

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.changed:
            return ()
        return tuple(
            f"replaced: {name} of {_counted(galaxies)}" for name, galaxies in self.replaced.items()
        )


def keep(
    catalog: Path,
    table: Path,
    columns: Sequence[str],
    *,
    id_column: str | None = None,
    types: Mapping[str, str | None] = MappingProxyType({}),
    strangers: Strangers | None = None,
) -> KeepReport:
    """Keep columns of a table beside the galaxies of a catalogue, where the view `own` shows them.

    table: CSV, CSV.gz, Parquet or FITS; columns: names, or `new=old`; id_column: the column of the
    galaxies' names (`catalog.formats.identifiers`); types: of columns, by their new names, that
    are told from more than these rows (`told_types`). Values have the type they are stored in; that
    of a CSV file's columns is told from all of their values (`catalog.formats.typed`). A galaxy's
    values replace those it had of the same columns, missing ones too; what else it has stays. Rows
    of galaxies that the catalogue does not have, or that an earlier row has, go to `rejects`.
    Nothing shows before all is done. If killed, the same call continues where it stopped.
    strangers: of a table that the pieces of a survey share.

    Raises `UnknownName` for a column that is not there, `TableRefused` for one that cannot be kept,
    and `CatalogError` for a name that is taken.
    """
    source = OwnTable(table, columns, id_column)
    with Store.open(catalog) as store:
        held = own_columns(store)
        taken = _taken(held_tree(store))
        check_names(source.columns, taken, [column.name for column in held])
        survey = source.survey({column.name: column for column in held}, types)
        brought = defined(source, survey, held)
        _check_known(store, source, survey, strangers)
        settings = {
            "table_sha256": table_digest(table),
            "columns": source.columns,
            "id_column": source.identifier,
        }
        run = begin_keep(store, settings, {"table": str(source.path.resolve())})
        if not run.complete:
            _fill(store, run, source, survey, brought, strangers)
            finish_keep(store, run)
        return KeepReport(
            run.run_id,
            {column.name: column.type for column in columns_of(store, run)},
            store.rows_of(run, "own_row"),
            counts_by_kind(store, run),
            replaced_values(store, run, [*source.columns]),
            not run.complete,
        )


def shares(
    table: Path, columns: Sequence[str], catalogues: Sequence[Path], id_column: str | None
) -> Shares:
    """Which of several catalogues have the galaxies of a table's rows.

    Raises as `keep` does for its columns, and `TableRefused` if none has any.
    """
    source = OwnTable(table, columns, id_column)
    with TemporaryDirectory(prefix=".names.", dir=catalogues[0].parent) as folder:
        found = shares_of(named(source.identified()), catalogues, Path(folder))
    if not any(found.found.values()):
        raise TableRefused(
            f"{table}: no row is of a galaxy of these catalogues; if {source.identifier} does not "
            "hold their names, say --id"
        )
    return found


def told_types(
    table: Path, columns: Sequence[str], *, id_column: str | None
) -> Mapping[str, str | None]:
    """The types that all values of a CSV file's columns tell, by their new names.

    Empty for another table, whose types are stored.
    """
    source = OwnTable(table, columns, id_column)
    return source.survey({}).types if source.told else {}


def check(
    table: Path, columns: Sequence[str], *, tree: DecisionTree | None, id_column: str | None
) -> list[str]:
    """The columns of a table that are to be kept; raises as `keep` does for its header."""
    asked = OwnTable(table, columns, id_column).columns
    check_names(asked, _taken(tree), ())
    return [*asked.values()]


def _taken(tree: DecisionTree | None) -> set[str]:
    """Names of columns that stand beside the user's own in views, rankings and releases."""
    own = {*COLUMNS["galaxies"], *COLUMNS["worst"], *RANKED}
    if tree is None:
        return own
    return own | {*release_columns(tree, trained=True, maps=True).names}


def _fill(
    store: Store,
    run: Run,
    source: OwnTable,
    survey: Survey,
    columns: Sequence[OwnColumn],
    strangers: Strangers | None,
) -> None:
    """Commit what the columns are, then rows that are refused and those of galaxies."""
    refused = source.refused(survey) if strangers is None or strangers.told else []
    if not store.committed(run, "columns"):
        store.commit(
            run,
            "columns",
            {"own_column": column_table(columns), "reject": reject_table(refused)},
        )
    given = {column.name for column in columns}
    others = [column for column in own_columns(store) if column.name not in given]
    blocks = enumerate(source.blocks(survey))
    parts = (Part(rows, len(rows.numbers), f"rows-{i:06d}") for i, rows in blocks)
    fill(
        store,
        run,
        parts,
        as_they_are,
        read=partial(_rows, store, source, [*others, *columns], strangers),
        describe="own columns",
        total=len(survey.names),
    )


def _rows(
    store: Store,
    source: OwnTable,
    columns: Sequence[OwnColumn],
    strangers: Strangers | None,
    rows: Rows,
) -> dict[str, pa.Table]:
    """What a block of the table changes, and what of it is refused."""
    known = shown_galaxies(store, [name for name in rows.names if name is not None])
    numbers = np.array([known.get(name or "", -1) for name in rows.names], np.int64)
    if strangers is not None:
        rows.good &= (numbers >= 0) | strangers.among(rows.numbers)
        if not strangers.told:
            rows.rejects.clear()
    rows.refuse(numbers < 0, lambda i: "unknown galaxy: the catalogue has none of that name")
    good = np.flatnonzero(rows.good)
    good = good[np.argsort(numbers[good])]
    values = {name: column.take(good) for name, column in source.values(rows, columns).items()}
    return {
        "own_row": row_table(store, columns, values, numbers[good]),
        "reject": reject_table(rows.rejects),
    }


def _check_known(
    store: Store, source: OwnTable, survey: Survey, strangers: Strangers | None
) -> None:
    """Refuse a table of no galaxy that the catalogue has."""
    for names in _some(survey):
        if shown_galaxies(store, names):
            return
    if strangers is not None:
        raise NothingHere(f"{source.path} has no galaxy of {store.path}")
    example = next((name for names in _some(survey) for name in names), "")
    raise TableRefused(
        f"{source.path}: none of its {len(survey.names):,} rows is of a galaxy of {store.path}, "
        f"such as {example!r}; if {source.identifier} does not hold the catalogue's names, say --id"
    )


def _some(survey: Survey) -> Iterator[list[str]]:
    for start in range(0, len(survey.names), _LOOKED_UP):
        yield survey.names.slice(start, _LOOKED_UP).drop_null().to_pylist()


def _counted(galaxies: int) -> str:
    return "1 galaxy" if galaxies == 1 else f"{galaxies:,} galaxies"
