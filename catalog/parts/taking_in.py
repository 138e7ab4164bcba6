"""Taking part files of a plan into the run that it is of: each checked, in order, and deleted.

The files may come from anywhere: what they say is compared with the plan, and the plan with the
catalogue, before a row is committed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoolens.catalog.arrays import Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts.computing import check_content
from zoolens.catalog.parts.files import PartRefused, part_path, read_part
from zoolens.catalog.parts.filling import TOGETHER
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.parts.state import adopted, note_adopted
from zoolens.catalog.store.checks import KEYS
from zoolens.catalog.store.galaxies import galaxies_of_run, read_galaxies
from zoolens.catalog.store.outdated import MADE
from zoolens.catalog.store.rejects import names_refused
from zoolens.catalog.store.shards import Part, Tables, as_they_are, fill
from zoolens.catalog.store.store import Run, Store
from zoolens.catalog.store.tables import unsound


@dataclass
class Taken:
    """What was taken in.

    rows: how many, by table. missing: cells without a file; damaged: files that cannot be used,
    and so are missing. unknown: galaxies that the catalogue does not have under that number and
    name, or without an image; renewed: those that have another image by now.
    """

    rows: Counter[str] = field(default_factory=Counter)
    missing: list[int] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unknown: int = 0
    renewed: int = 0


@dataclass(frozen=True)
class _Ready:
    """A part whose rows can be committed."""

    cell: int
    path: Path
    tables: Tables


@dataclass(frozen=True)
class Terms:
    """What rows may be of: that many answers and questions of a tree, or names of estimates."""

    answers: int = 0
    questions: int = 0
    names: tuple[str, ...] = ()

    @classmethod
    def of_tree(cls, tree: DecisionTree) -> "Terms":
        return cls(len(tree.labels), len(tree.questions))

    def wrong_with(self, table: str, rows: pa.Table) -> str | None:
        """What is wrong with rows of a table, whose columns are right; None if nothing is."""
        for column, end in (("answer_id", self.answers), ("question_id", self.questions)):
            if column in rows.column_names and len(rows):
                least, most = pc.min_max(rows[column]).as_py().values()
                if least < 0 or most >= end:
                    return "are of no answer of the tree"
        named = pc.unique(rows["name"]).to_pylist() if "name" in rows.column_names else []
        if not {*named} <= {*self.names}:
            return "are of nothing that is estimated"
        key = [column for column in KEYS[table] if column != "run_id"]
        if len(rows.group_by(key).aggregate([])) < len(rows):
            return "stand twice"
        every = self.answers if table == "prediction" else len(self.names)
        if every and len(rows) != every * len(pc.unique(rows["galaxy_id"])):
            return "are not there for each answer"
        return None


def take_in(store: Store, run: Run, plan: Plan, terms: Terms) -> Taken:
    """Commit the rows of all part files that are there, and delete these.

    terms: what the rows may be of. Galaxies that the run has already are not added again; those
    that are not as they were planned are left out. Raises what `Store.commit` does, and
    `CatalogError` if the folder fails.
    """
    taken, known = Taken(), adopted(plan)
    noted = len(known)
    waits: list[_Ready] = []

    def note() -> None:
        known.update(part.cell for part in waits)
        note_adopted(plan, known)
        for part in waits:  # and not before it is noted: tasks would compute it again
            part.path.unlink(missing_ok=True)
        waits.clear()

    def committed(part: _Ready) -> None:
        waits.append(part)
        if len(waits) == TOGETHER:
            note()

    try:
        taken.rows = fill(
            store,
            run,
            (Part(one, size) for one, size in _ready(store, run, plan, terms, known, taken)),
            lambda part: part.tables,
            read=as_they_are,
            describe="adopting",
            total=plan.galaxies,
            together=TOGETHER,
            committed=committed,
        )
    finally:
        if waits or len(known) < noted:
            note()
    return taken


def _ready(
    store: Store,
    run: Run,
    plan: Plan,
    terms: Terms,
    known: set[int],
    taken: Taken,
) -> Iterator[tuple[_Ready, int]]:
    """The parts whose files are there, each with the number of its galaxies; notes the others.

    known: cells that are adopted, if the catalogue agrees.
    """
    facts, done = plan.facts, galaxies_of_run(store, run, MADE[run.job][0])
    refused = names_refused(store, run)
    for block in plan.read(range(plan.cells)):
        as_now = _as_now(store, [galaxy for _, galaxies in block for galaxy in galaxies])
        for cell, galaxies in block:
            new = _not_in([galaxy.galaxy_id for galaxy in galaxies], done)
            kept = [one for one in galaxies if _is_as_planned(one, as_now.get(one.galaxy_id))]
            if cell in known:
                if all(one.galaxy_id not in new or one.iauname in refused for one in kept):
                    continue
                known.discard(cell)  # it went into a copy of the catalogue, or an older one is back
            path = part_path(plan.folder, facts.recipe, galaxies)
            tables: Tables = {}
            if new:
                try:
                    if not path.exists():
                        taken.missing.append(cell)
                        continue
                    content = read_part(path)
                    check_content(content, facts, path)
                    _check_rows(content.tables, content.galaxies, galaxies, run, terms, path)
                except PartRefused:
                    taken.missing.append(cell)
                    taken.damaged.append(path.name)
                    continue
                tables = _of(content.tables, [one for one in kept if one.galaxy_id in new], kept)
            _count_left_out(galaxies, as_now, taken)
            yield _Ready(cell, path, tables), len(galaxies)


def _is_as_planned(planned: Galaxy, now: Galaxy | None) -> bool:
    return now is not None and (now.iauname, now.sha256) == (planned.iauname, planned.sha256)


def _count_left_out(planned: Sequence[Galaxy], as_now: dict[int, Galaxy], taken: Taken) -> None:
    for galaxy in planned:
        now = as_now.get(galaxy.galaxy_id)
        if not _is_as_planned(galaxy, now):
            known = now is not None and now.iauname == galaxy.iauname and now.sha256 is not None
            taken.renewed += known
            taken.unknown += not known


def _as_now(store: Store, planned: Sequence[Galaxy]) -> dict[int, Galaxy]:
    """Galaxies with an image as the catalogue has them, by number."""
    ids = np.unique(np.array([one.galaxy_id for one in planned], np.int64))
    return {one.galaxy_id: one for one in read_galaxies(store, ids)}


def _not_in(numbers: Sequence[int], done: Ids) -> set[int]:
    return set(np.setdiff1d(np.array(numbers, np.int64), done).tolist())


def _of(tables: Tables, wanted: Sequence[Galaxy], known: Sequence[Galaxy]) -> Tables:
    """The rows of wanted galaxies, and the rejects of known ones."""
    ids = pa.array([one.galaxy_id for one in wanted], pa.int64())
    names = pa.array([one.iauname for one in known], pa.string())
    return {
        name: rows.select(sorted(rows.column_names)).filter(
            pc.is_in(rows["key"], names) if name == "reject" else pc.is_in(rows["galaxy_id"], ids)
        )
        for name, rows in tables.items()
    }


def _check_rows(
    tables: Tables,
    of: pa.Table,
    planned: Sequence[Galaxy],
    run: Run,
    terms: Terms,
    path: Path,
) -> None:
    """Raises `PartRefused` for rows that no run of this job has of the planned galaxies."""
    wrong = None
    if of.to_pylist() != [
        {"galaxy_id": one.galaxy_id, "iauname": one.iauname, "sha256": one.sha256}
        for one in planned
    ]:
        wrong = "it is of other galaxies"
    ids = pa.array([one.galaxy_id for one in planned], pa.int64())
    for name, rows in tables.items():
        if name not in (*MADE[run.job], "reject"):
            wrong = f"it has rows of {name}"
        else:
            wrong = wrong or unsound(name, rows)
        if wrong:
            break
        if name != "reject" and not pc.all(pc.is_in(rows["galaxy_id"], ids)).as_py() and len(rows):
            wrong = f"rows of {name} are of other galaxies"
        if name != "reject" and (what := terms.wrong_with(name, rows)):
            wrong = f"rows of {name} {what}"
    if wrong:
        raise PartRefused(f"{path} is damaged: {wrong}; delete it, and compute it again")
