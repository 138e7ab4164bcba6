"""What tells runs, and catalogues, apart."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from zoolens.catalog.store.database import Database


def code_version() -> str:
    """Version of the installed Zoolens."""
    try:
        return version("zoolens")
    except PackageNotFoundError:
        return "unknown"


def fingerprint(job: str, config: Mapping[str, Any], model_sha256: str | None) -> str:
    """The same for the same work by the same code, and for no other."""
    identity = json.dumps([job, config, model_sha256, code_version()], sort_keys=True)
    return hashlib.sha256(identity.encode()).hexdigest()


def begun(
    store: Database, job: str, config: Mapping[str, Any], model_sha256: str | None
) -> int | None:
    """The run that did or began some work, which `Store.begin` goes on with; None if none did."""
    work = fingerprint(job, config, model_sha256)
    found = store.value("SELECT max(run_id) FROM run WHERE fingerprint = ?", [work])
    return None if found is None else int(found)


def identity_of(store: Database, run_id: int | None = None) -> str | None:
    """What a run, or else the first of a catalogue, has alone, and in copies of the file.

    By its first run a catalogue is told from any other. None if there is no such run.
    """
    rows = store.rows(
        "SELECT fingerprint, CAST(started_at AS VARCHAR) FROM run "
        "WHERE run_id = coalesce(?, (SELECT min(run_id) FROM run))",
        [run_id],
    )
    return hashlib.sha256(" ".join(rows[0]).encode()).hexdigest() if rows else None
