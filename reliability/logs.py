"""Damage to the write-ahead log that a killed job leaves beside its catalogue.

A log that is cut short is, to DuckDB, that of a job killed a moment earlier: then the catalogue
has to be as it was after one of the commits, whole. Anything else is noticed, as is the log of
another state of the catalogue.
"""

import json
import os
import shutil
from pathlib import Path

from reliability.answers import rows, rows_of
from reliability.cases import Case, Job, Outcome, Verdict, failed
from reliability.damage import spoil
from reliability.flips import noticed, verified
from reliability.world import World
from tests.made.processes import started
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store

_COMMITS = 8
_STATES = "states.json"
_WAL = "gz.duckdb.wal"


def killed_jobs(_: World, folder: Path) -> None:
    """Catalogues with the log of a killed job, and their states after each commit.

    `own` is as the job left it. In `foreign` there are copies of the catalogue from before and
    from after other work, none of which this log belongs to.
    """
    from tests.made.catalogues import catalogue, random_counts

    (folder / "own").mkdir()
    (folder / "foreign").mkdir()
    gz = catalogue(folder / "own" / "gz.duckdb", random_counts(40))
    shutil.copy(gz, folder / "foreign" / "earlier.duckdb")
    _add(gz, 100)
    for copy in ("later", "other"):
        shutil.copy(gz, folder / "foreign" / f"{copy}.duckdb")
    _add(folder / "foreign" / "later.duckdb", 101)
    _add(folder / "foreign" / "other.duckdb", 102)
    process = started(_commits, gz, folder / "own" / _STATES)
    process.join()
    if not (folder / "own" / _WAL).exists():
        raise RuntimeError("the killed job left no log")


def _add(gz: Path, number: int) -> None:
    from tests.made.catalogues import add_votes, random_counts

    with Store.open(gz) as store:
        names = [f"N{number}-{i}" for i in range(20)]
        add_votes(store, random_counts(20, seed=number), names=names)


def _commits(gz: Path, states: Path) -> None:
    """Commit, note the state after each commit, and end as a killed process does."""
    from tests.made.catalogues import add_votes, random_counts

    store = Store.open(gz)
    found = [rows_of(store)]
    execute = store.execute

    def noting(*arguments: object) -> None:
        execute(*arguments)  # type: ignore[arg-type]
        found.append(rows_of(store))

    store.execute = noting  # type: ignore[assignment,method-assign]
    for number in range(_COMMITS):
        names = [f"N{number}-{i}" for i in range(20)]
        add_votes(store, random_counts(20, seed=number + 1), names=names)
        found.append(rows_of(store))
    states.write_text(json.dumps(found))
    os._exit(9)


def _own(case: Case, world: World, folder: Path) -> Verdict:
    """The log of the catalogue itself, damaged."""
    shutil.copytree(world.part("killed jobs") / "own", folder, dirs_exist_ok=True)
    states = json.loads((folder / _STATES).read_text())
    way = spoil(folder / _WAL, case.random)
    try:
        found = rows(folder / "gz.duckdb")
    except CatalogError as error:
        return noticed(error)
    said = verified(folder / "gz.duckdb")
    if said is not None:
        return said
    if found == states[-1]:
        return Verdict(Outcome.HARMLESS, way)
    if found in states:
        return Verdict(Outcome.HELD, f"{way}: as after commit {states.index(found)}")
    return failed(f"{way}: a state that never was")


def _foreign(case: Case, world: World, folder: Path) -> Verdict:
    """The log of another state of the catalogue beside it, whole or damaged.

    That `verify` would find doubled rows is not enough: until then they are answers.
    """
    part = world.part("killed jobs")
    which = case.random.choice(("earlier", "later", "other"))
    shutil.copy(part / "foreign" / f"{which}.duckdb", folder / "gz.duckdb")
    before = rows(folder / "gz.duckdb")
    shutil.copy(part / "own" / _WAL, folder / _WAL)
    way = spoil(folder / _WAL, case.random) if case.random.random() < 0.5 else "whole"
    try:
        found = rows(folder / "gz.duckdb")
    except CatalogError as error:
        return noticed(error)
    if found == before:
        return Verdict(Outcome.HARMLESS, way)
    return failed(f"{which} copy, log {way}: it was replayed without a word")


JOBS: dict[str, Job] = {
    "write-ahead log": Job(_own, ("killed jobs",), short=True),
    "write-ahead log, foreign": Job(_foreign, ("killed jobs",), 0.5, short=True),
}
