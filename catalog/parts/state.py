"""How far the plan of a job array has come: what is adopted, and in how many parts it is cut.

parts/adopted-HEX.json   cells of the plan HEX whose rows are in the catalogue, so that nobody
computes them again
parts/.of-40             that parts of 40 were asked for, when this was last touched
"""

import json
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.runtime.files import replacing, text_of

_OF = re.compile(r"\.of-([1-9]\d{0,8})")


def adopted(plan: Plan) -> set[int]:
    """The cells whose rows are in the catalogue. Raises `CatalogError` for a damaged file."""
    path = _adopted(plan)
    if not path.exists():
        return set()
    try:
        ranges = json.loads(text_of(path))
        ends = [int(end) for pair in ranges for end in pair]
        sound = all(len(pair) == 2 for pair in ranges) and all(a < b for a, b in pairwise(ends))
        if not sound or (ends and not 0 <= ends[0] < ends[-1] <= plan.cells):
            raise ValueError
    except (OSError, ValueError, TypeError, RecursionError):
        raise CatalogError(f"{path} is damaged; delete it, and adopt again") from None
    return {cell for start, end in ranges for cell in range(start, end)}


def note_adopted(plan: Plan, cells: Iterable[int]) -> None:
    """Note all cells whose rows are in the catalogue."""
    ranges: list[list[int]] = []
    for cell in sorted(cells):
        if ranges and ranges[-1][1] == cell:
            ranges[-1][1] = cell + 1
        else:
            ranges.append([cell, cell + 1])
    with replacing(_adopted(plan)) as unfinished:
        unfinished.write_text(json.dumps(ranges) + "\n")


def _adopted(plan: Plan) -> Path:
    return plan.folder / f"adopted-{plan.sha256[:16]}.json"


def note_parts(folder: Path, of: int) -> None:
    """Note in how many parts the plan is being computed. Raises `CatalogError` if it cannot be."""
    try:
        (folder / f".of-{of}").touch()
    except OSError as error:
        raise CatalogError(f"{folder} could not be written: {error.strerror}") from None


def parts_asked_for(folder: Path) -> int | None:
    """In how many parts the plan was last computed; None if it never was."""
    found = [file for file in folder.glob(".of-*") if _OF.fullmatch(file.name)]
    if not found:
        return None
    last = max(found, key=lambda file: (file.stat().st_mtime_ns, file.name))
    return int(last.name.removeprefix(".of-"))
