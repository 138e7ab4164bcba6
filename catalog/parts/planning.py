"""Making the plan of a job array: by one of many tasks, whole or not at all."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO

import pyarrow as pa

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts.files import to_stream
from zoolens.catalog.parts.plan import (
    FORMAT,
    GALAXIES,
    PLAN,
    Block,
    Plan,
    PlannedRun,
    read_plan,
    sha256_of_plan,
)
from zoolens.catalog.parts.recipe import Recipe

_LOCK = ".planning"
_BLOCK = 64  # cells that are read together, so about 3 MB


def write_plan(
    folder: Path, recipe: Recipe, code: str, run: PlannedRun, parts: Iterable[list[Galaxy]]
) -> Plan | None:
    """Write a plan into a folder that has none; None if there are no galaxies.

    parts: galaxies of each cell. Somebody else may have written the same one meanwhile. Raises
    `CatalogError` if the folder has another one by now, or cannot be written to.
    """
    with _unfinished(folder) as (path, file):
        blocks = [*_write_blocks(file, parts)]
        if not blocks:
            return None
        told = hashlib.sha256("".join(block.sha256 for block in blocks).encode()).hexdigest()
        name = f"galaxies-{told[:16]}.blocks"
        path.replace(folder / name)
    plan = {
        "job": recipe.job,
        "settings": dict(recipe.settings()),
        "code": code,
        "run": asdict(run),
        "file": name,
        "blocks": [asdict(block) for block in blocks],
    }
    content = {"format": FORMAT, "sha256": sha256_of_plan(plan), "plan": plan}
    put_first(folder / PLAN, content)
    return read_plan(folder)


def put_first(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file of JSON, whole or not at all, if there is none. Raises as `write_plan`."""
    told = json.dumps(content, indent=1).encode() + b"\n"
    with _unfinished(path.parent) as (unfinished, file):
        file.write(told)
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(unfinished, path)  # whole, and the first one stays
        except FileExistsError:
            pass
        except OSError:  # a file system without such links
            if not path.exists():
                unfinished.replace(path)
        if path.read_bytes() != told:
            raise CatalogError(
                f"{path} is another plan; remove it, if nobody computes it, or plan in another "
                "folder"
            )


def _write_blocks(file: BinaryIO, parts: Iterable[list[Galaxy]]) -> Iterator[Block]:
    offset = cell = 0
    held: list[list[Galaxy]] = []

    def block() -> Block:
        nonlocal offset, cell
        rows = [(cell + i, *galaxy) for i, part in enumerate(held) for galaxy in part]
        arrays = [
            pa.array(values, field.type)
            for values, field in zip(zip(*rows, strict=True), GALAXIES, strict=True)
        ]
        stream = to_stream(pa.Table.from_arrays(arrays, schema=GALAXIES))
        file.write(stream)
        told = hashlib.sha256(stream).hexdigest()
        made = Block(cell, cell + len(held), len(rows), offset, len(stream), told)
        offset, cell = offset + len(stream), made.end
        held.clear()
        return made

    for part in parts:
        held.append(part)
        if len(held) == _BLOCK:
            yield block()
    if held:
        yield block()
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _unfinished(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file of the folder, that is removed unless it got another name."""
    path = folder / f".{token_hex(8)}.plan"
    try:
        with path.open("wb") as file:
            yield path, file
    except OSError as error:
        raise CatalogError(f"{folder} could not be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Only one task of many is within at a time, where the file system has locks.

    Elsewhere all of them may be, which costs time alone: see `write_plan`.
    """
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise CatalogError(f"{folder} could not be written: {error.strerror or error}") from None
    try:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def remove_plan(plan: Plan) -> None:
    """Remove a plan, all of whose parts are adopted."""
    (plan.folder / PLAN).unlink(missing_ok=True)
    (plan.folder / plan.file).unlink(missing_ok=True)
    for file in (*plan.folder.glob("adopted-*.json"), *plan.folder.glob(".of-*")):
        file.unlink(missing_ok=True)
