"""The plan of a job array, in a folder that its tasks see: what to compute, of which galaxies.

    parts/plan.json              how rows are made, of which runs, and where the galaxies stand
    parts/galaxies-HEX.blocks    the galaxies that wait, in cells (`catalog.parts.cells`)
    parts/….arrow                part files (`catalog.parts.files`), one a cell

Tasks read it in place of the catalogue. The galaxies stand in blocks, Arrow streams one behind the
other, so that a task reads its own alone; `plan.json` has the SHA-256 of each, and one of itself.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.parts.files import Facts, from_stream
from zoolens.catalog.parts.recipe import digest_of
from zoolens.catalog.runtime.files import text_of

PLAN = "plan.json"
FORMAT = 1
GALAXIES = pa.schema(
    [
        ("cell", pa.int64()),
        ("galaxy_id", pa.int64()),
        ("iauname", pa.string()),
        ("source", pa.string()),
        ("member", pa.string()),
        ("sha256", pa.string()),
    ]
)
Cell = tuple[int, list[Galaxy]]  # its number in the plan, and its galaxies


@dataclass(frozen=True)
class PlannedRun:
    """The run of a catalogue that parts are computed for.

    catalogue: its file; identity: of the catalogue; job, config, model_sha256, origin: as
    `Store.begin` takes them; made_from: identity of the run `starts_from`, if any.
    """

    catalogue: str
    identity: str
    job: str
    config: Mapping[str, Any]
    model_sha256: str
    origin: Mapping[str, Any]
    made_from: str | None

    @property
    def starts_from(self) -> Any:
        """The number of the run of predictions or estimates that it explains, if any."""
        return starts_from(self.config)


def starts_from(config: Mapping[str, Any]) -> Any:
    """The number of the run that a run of this configuration explains; None if it explains none."""
    return config.get("predict_run", config.get("estimate_run"))


@dataclass(frozen=True)
class Block:
    """Where some cells, from `first` to below `end`, stand: bytes of the file of galaxies."""

    first: int
    end: int
    galaxies: int
    offset: int
    length: int
    sha256: str


@dataclass(frozen=True)
class Plan:
    """What is to be computed.

    recipe: its job and settings; code: the version of Zoolens; run: whose rows they are; file:
    that of the galaxies; sha256: of all this.
    """

    folder: Path
    sha256: str
    job: str
    settings: Mapping[str, Any]
    code: str
    run: PlannedRun
    file: str
    blocks: tuple[Block, ...]

    @property
    def facts(self) -> Facts:
        """What its part files say of themselves."""
        return Facts(digest_of(self.job, self.settings), self.code, self.job)

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.blocks[-1].end

    @property
    def galaxies(self) -> int:
        """How many galaxies wait."""
        return sum(block.galaxies for block in self.blocks)

    def about(self, wanted: range) -> int:
        """How many galaxies some cells have, about: the last cell of a block may have fewer."""
        shares = (
            (len(range(max(one.first, wanted.start), min(one.end, wanted.stop))), one)
            for one in self.blocks
        )
        return sum(cells * one.galaxies // (one.end - one.first) for cells, one in shares)

    def read(self, wanted: range) -> Iterator[list[Cell]]:
        """Cells, of one block after the other. Raises `CatalogError` if the file is damaged."""
        path = self.folder / self.file
        for block in self.blocks:
            if block.first < wanted.stop and wanted.start < block.end:
                yield [cell for cell in _cells(path, block) if cell[0] in wanted]


def _cells(path: Path, block: Block) -> list[Cell]:
    try:
        with path.open("rb") as file:
            file.seek(block.offset)
            stream = file.read(block.length)
        if hashlib.sha256(stream).hexdigest() != block.sha256:
            raise ValueError
        table = from_stream(stream)
        if not table.schema.equals(GALAXIES):
            raise ValueError
    except (OSError, ValueError, pa.ArrowException):
        raise CatalogError(f"{path} is damaged; plan anew, in another folder") from None
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return [
        (cell, [Galaxy(*row[1:]) for row in found]) for cell, found in groupby(rows, lambda r: r[0])
    ]


def read_plan(folder: Path) -> Plan | None:
    """The plan in a folder; None if there is none. Raises `CatalogError` if it cannot be used."""
    path = folder / PLAN
    if not path.exists():
        return None
    try:
        content = json.loads(text_of(path))
        if content["format"] == FORMAT and content["sha256"] != sha256_of_plan(content["plan"]):
            raise ValueError
        version, told = content["format"], content["plan"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise CatalogError(f"{path} is damaged; plan anew, in another folder") from None
    if version != FORMAT:
        raise CatalogError(
            f"{path} is a plan of format {version!r}, this Zoolens knows {FORMAT}; plan anew, in "
            "another folder"
        )
    try:
        run = PlannedRun(**told["run"])
        blocks = tuple(Block(**block) for block in told["blocks"])
        rest = {name: told[name] for name in ("job", "settings", "code", "file")}
        plan = Plan(folder, content["sha256"], run=run, blocks=blocks, **rest)
        _check(plan)
    except (ValueError, KeyError, TypeError):
        raise CatalogError(f"{path} is no plan; plan anew, in another folder") from None
    return plan


def _check(plan: Plan) -> None:
    """Raises `ValueError` or `TypeError` for what no plan has that this Zoolens wrote."""
    run = plan.run
    texts = (plan.job, plan.code, plan.file, run.catalogue, run.identity, run.job, run.model_sha256)
    objects = (plan.settings, run.config, run.origin)
    sound = all(isinstance(text, str) for text in texts)
    sound &= all(isinstance(one, dict) for one in objects)
    sound &= run.made_from is None or isinstance(run.made_from, str)
    sound &= Path(plan.file).name == plan.file and bool(plan.blocks)
    cell = 0
    for block in plan.blocks:
        numbers = (block.first, block.end, block.galaxies, block.offset, block.length)
        sound &= all(isinstance(one, int) and 0 <= one < 2**62 for one in numbers)
        sound &= block.first == cell < block.end
        cell = block.end
    if not sound:
        raise ValueError


def sha256_of_plan(plan: Any) -> str:
    """SHA-256 of what a plan says."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
