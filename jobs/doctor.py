"""`doctor`: what a report of a fault has to say of Zoolens, the machine and the catalogue."""

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogBusy, CatalogError, few
from zoolens.catalog.release.checking import is_release
from zoolens.catalog.runtime import environment
from zoolens.catalog.runtime.locks import holders
from zoolens.catalog.runtime.private import without_places
from zoolens.catalog.store.log import log_path
from zoolens.catalog.store.outdated import stale_steps
from zoolens.catalog.store.schema import HEAD, is_brought_here, written_schema
from zoolens.catalog.store.steps import interrupted, rejects, runs, steps
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import is_listed, open_survey

_NAME = "CATALOGUE"  # stands for the file or folder: its name may be private too


@dataclass(frozen=True)
class DoctorReport:
    """What was found, as names and values, text or lists of it, without private paths.

    packages: what Zoolens asks for. engines: what can run a network. locks: who holds
    the catalogue. A subject that could not be looked at has one value, `failed`.
    """

    versions: Mapping[str, Any]
    packages: Mapping[str, Any]
    engines: Mapping[str, Any]
    machine: Mapping[str, Any]
    catalogue: Mapping[str, Any]
    locks: Mapping[str, Any]


def doctor(catalog: Path) -> DoctorReport:
    """Look at everything without changing it: a catalogue of an older Zoolens stays as it is."""
    locks = _tried(lambda: _locks(catalog))  # before this process has any
    found = {
        "versions": _tried(environment.versions),
        "packages": _tried(environment.packages),
        "engines": _tried(_engines),
        "machine": _tried(lambda: _machine(catalog)),
        "catalogue": _tried(lambda: _catalogue(catalog)),
        "locks": locks,
    }
    return DoctorReport(**without_places(found, {catalog: _NAME}))


def _tried(look: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """What a look finds; whatever it fails at is found too."""
    try:
        return look()
    except Exception as error:  # a broken installation may raise anything
        return {"failed": _in_one_line(error)}


def _in_one_line(error: Exception) -> str:
    kind = "" if isinstance(error, CatalogError) else f"{type(error).__name__}: "
    return kind + " ".join(str(error).split())


def _engines() -> Mapping[str, Any]:
    from zoolens.catalog.network.engines import engines_here  # imports torch, which may fail

    return engines_here()


def _machine(catalog: Path) -> Mapping[str, Any]:
    folder = catalog if catalog.is_dir() else catalog.absolute().parent
    there = folder if folder.is_dir() else Path()
    return {
        **environment.machine(),
        "disk of the catalogue": environment.disk(there),
        "disk for what is temporary": environment.disk(Path(tempfile.gettempdir())),
    }


def _files(catalog: Path) -> list[Path]:
    return open_survey(catalog).paths if is_listed(catalog) else [catalog]


def _locks(catalog: Path) -> Mapping[str, Any]:
    held = []
    for path in _files(catalog):
        found = holders(path)
        if found is None:
            return {"held": "the system does not tell" if path.exists() else "no file"}
        held += [str(one) for one in found]
    return {"held": sorted(set(held)) or "by no process of this machine"}


def _catalogue(catalog: Path) -> Mapping[str, Any]:
    if is_listed(catalog):
        return _survey(catalog)
    if not catalog.exists():
        return {"kind": "none there"}
    if catalog.is_dir():
        neither = "a folder, neither of a survey nor of a release"
        return {"kind": "a release" if is_release(catalog) else neither}
    log = log_path(catalog)
    return {
        "kind": "one file" if catalog.is_file() else "no file",
        "size": _megabytes(catalog),
        "log": _megabytes(log) if log.exists() else "none",
        **_tried(lambda: _content(catalog)),
    }


def _content(catalog: Path) -> Mapping[str, Any]:
    schema = _schema(catalog)
    if schema is None:
        return {"schema": "none: the file is empty"}
    if schema > HEAD:
        return {"schema": f"{schema}; this Zoolens knows {HEAD}"}
    if schema < HEAD or not _is_here(catalog):
        views = " with other views" if schema == HEAD else ""
        return {"schema": f"{schema}{views}; the next command brings it here"}
    return {"schema": HEAD, **_state(catalog)}


def _schema(path: Path) -> str | None:
    """The schema of a file; of one that is being written this one, to which the writer brought it.

    None for an empty file.
    """
    try:
        return written_schema(path)
    except CatalogBusy:
        return HEAD


def _is_here(path: Path) -> bool:
    """Whether a look changes nothing; of a file that is being written, the look is at a copy."""
    try:
        return is_brought_here(path)
    except CatalogBusy:
        return True


def _state(catalog: Path) -> Mapping[str, Any]:
    """How far each step is, and which runs there are."""
    with Store.look(catalog) as store:
        tree = store.tree_or_none
        listed = runs(store)
        done = Counter(f"{row['job']} {row['status']}" for row in listed.to_pylist())
        refused, remarks = rejects(store)
        return {
            "tree": "none yet" if tree is None else tree.name,
            **{str(row["step"]): _step(row) for row in steps(store)},
            "runs": [f"{name}: {count}" for name, count in sorted(done.items())] or "none",
            "unfinished": [f"{job} run {run}" for run, job in interrupted(store)] or "none",
            "outdated": [step.said for step in stale_steps(store)] or "none",
            "refused": f"{refused:,}, and {remarks:,} remarks",
            "written by": sorted({f"Zoolens {code}" for code in listed["code"].to_pylist()}),
        }


def _step(row: Mapping[str, Any]) -> str:
    shows = "no run" if row["run"] is None else f"run {row['run']}"
    return f"{shows}, {row['galaxies']:,} of {row['of']:,} galaxies"


def _survey(folder: Path) -> Mapping[str, Any]:
    """The pieces together; `zoolens status` tells their steps."""
    named = open_survey(folder).named
    schemas: Counter[str] = Counter()
    unread = []
    for name, path in named.items():
        try:
            schemas[_schema(path) or "none"] += 1
        except CatalogError as error:
            unread.append(f"{name}: {_in_one_line(error)}")
    return {
        "kind": f"a survey of {len(named):,} pieces",
        "size": _megabytes(*(path for path in named.values() if path.exists())),
        "schema": [f"{schema}: {count:,} pieces" for schema, count in sorted(schemas.items())],
        "cannot be read": few(unread) or "none",
    }


def _megabytes(*files: Path) -> str:
    return f"{sum(file.stat().st_size for file in files) / 1e6:,.1f} MB"
