"""`simulate`: a folder of galaxies whose truth is known, as `ingest` takes it.

The work is cut into parts. A part's images are written first, then its rows, to a file that
gets its name last. So the same command completes what a killed run leaves.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pyarrow import csv, parquet

from zoolens.catalog.errors import CatalogError, needs
from zoolens.catalog.parts.computing import Failed
from zoolens.catalog.runtime.files import text_of
from zoolens.catalog.runtime.parallel import in_processes
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.sky.population import FRAME_PIXELS, MAGNITUDE_LIMIT
from zoolens.catalog.sky.sky import SKY_VERSION, Sky, image_path, observe
from zoolens.catalog.sky.truth import truth_schema, votes_schema
from zoolens.catalog.sky.volunteers import Crowd
from zoolens.catalog.store.shards import Executor
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.elsewhere import Elsewhere
from zoolens.jobs.reports import InNotebook

MANIFEST = "simulation.json"
VOTES = "votes.csv"
TRUTH = "truth.parquet"
TREE = "gzd5"
GALAXIES_A_PART = 100
_PARTS = ".parts"


@dataclass(frozen=True)
class SimulateReport(InNotebook):
    """What a simulation made.

    out: the folder; galaxies: how many; size: of their images, pixels along a side. votes: how
    many were cast; erroneous: how many of them in error; misvoted: galaxies
    whose votes all went to wrong answers. changed: False if it was complete before.
    """

    job: ClassVar[str] = "simulate"
    run_id: ClassVar[int | None] = None
    notes: ClassVar[tuple[str, ...]] = ()
    out: Path
    galaxies: int
    size: int
    votes: int
    erroneous: int
    misvoted: int
    changed: bool

    @property
    def summary(self) -> str:
        return (
            f"{self.galaxies:,} galaxies, {self.votes:,} votes, {self.erroneous:,} of them in "
            f"error, {self.misvoted:,} galaxies mis-voted"
        )


def simulate(
    out: Path,
    *,
    galaxies: int,
    seed: int = 0,
    size: int = FRAME_PIXELS,
    magnitude_limit: float = MAGNITUDE_LIMIT,
    crowd: Crowd | None = None,
    workers: int | None = None,
    elsewhere: Elsewhere | None = None,
) -> SimulateReport:
    """Simulate galaxies 0 to `galaxies` - 1 of the sky `seed` into the folder `out`.

    Writes `votes.csv`, `images/Jnnn/IAUNAME.png`, `truth.parquet` and, with all their
    settings, `simulation.json`. The result depends on the seed and the settings, not
    on `workers` (default: one per core), nor on who computes `elsewhere`, and writes into the
    folder from there. Raises `CatalogError` if a setting is out of
    range, the folder holds something else, or the disk is full.
    """
    needs("a simulated sky", "galsim", "simulate")
    sky = Sky(seed, size, magnitude_limit, crowd or Crowd())
    _check(galaxies, sky, workers)
    settings: dict[str, Any] = {
        "sky": SKY_VERSION,
        "tree": TREE,
        "galaxies": galaxies,
        **asdict(sky),
    }
    try:
        if elsewhere is None:
            elsewhere = partial(_in_processes, workers)
        totals, changed = _complete(out.absolute(), settings, sky, elsewhere)
    except OSError as error:
        raise CatalogError(
            f"{error.filename or out} could not be written: {error.strerror or error}; with "
            "room made for it, the same command goes on"
        ) from None
    return SimulateReport(out, galaxies, size, **totals, changed=changed)


def _complete(
    out: Path, settings: dict[str, Any], sky: Sky, elsewhere: Elsewhere
) -> tuple[dict[str, int], bool]:
    """Make what the folder lacks; returns its sums, and whether anything was missing."""
    done = _claim(out, settings)
    if done is not None:
        return done, False
    galaxies = int(settings["galaxies"])
    firsts = range(0, galaxies, GALAXIES_A_PART)
    missing = [first for first in firsts if not _part(out, first).exists()]
    with progress("simulating", galaxies) as bar:
        bar.advance(galaxies - sum(min(GALAXIES_A_PART, galaxies - f) for f in missing))
        write = partial(_write_part, out, galaxies, sky)
        with elsewhere(out / _PARTS) as computed, closing(computed(write, missing)) as written:
            for count in written:
                if isinstance(count, Failed):
                    raise CatalogError(f"a part failed: {count.reason}; the same command goes on")
                bar.advance(count)
    totals = _join(out, [_part(out, first) for first in firsts])
    _write_manifest(out, settings | {"result": totals})
    shutil.rmtree(out / _PARTS)
    return totals, True


@contextmanager
def _in_processes(workers: int | None, _: Path) -> Iterator[Executor]:
    yield partial(in_processes, workers=workers)


def _check(galaxies: int, sky: Sky, workers: int | None) -> None:
    crowd = sky.crowd
    ranges = {
        "galaxies": (galaxies, 1, 10_000_000),
        "seed": (sky.seed, 0, 2**63 - 1),
        "size": (sky.size, 32, 1024),
        "magnitude limit": (sky.magnitude_limit, 12, MAGNITUDE_LIMIT),
        "workers": (workers or 1, 1, 1024),
        "overdispersion": (crowd.overdispersion, 0, 0.9),
        "error rate": (crowd.error_rate, 0, 1),
        "misvote rate": (crowd.misvote_rate, 0, 1),
        "share with many votes": (crowd.share_many, 0, 1),
        "many votes": (crowd.many, 1, 10_000),
        "few votes": (crowd.few, 1, 10_000),
    }
    for name, (value, low, high) in ranges.items():
        if not low <= value <= high:
            raise CatalogError(f"{name} is {value}; give a value from {low} to {high}")


def _claim(out: Path, settings: dict[str, Any]) -> dict[str, int] | None:
    """Take the folder for this simulation; returns the result if it is complete already."""
    if out.exists() and not out.is_dir():
        raise CatalogError(f"{out} is a file; name a folder for the simulated sky")
    manifest = out / MANIFEST
    if not manifest.exists():
        if out.is_dir() and any(out.iterdir()):
            raise CatalogError(f"{out} holds something else; name a new or empty folder")
        (out / _PARTS).mkdir(parents=True, exist_ok=True)
        _write_manifest(out, settings)
        return None
    try:
        found = json.loads(text_of(manifest))
        result = found.pop("result", None)
    except (OSError, ValueError, AttributeError, RecursionError):
        raise CatalogError(f"{manifest} is damaged; name a new folder") from None
    differing = [key for key in settings if found.get(key) != settings[key]]
    if differing:
        raise CatalogError(
            f"{out} holds a sky with another {', '.join(differing)} "
            f"({found.get(differing[0])}, not {settings[differing[0]]}); name a new folder"
        )
    if result is not None and all((out / name).is_file() for name in (VOTES, TRUTH)):
        return {str(key): int(value) for key, value in result.items()}
    (out / _PARTS).mkdir(exist_ok=True)
    return None


def _write_part(out: Path, galaxies: int, sky: Sky, first: int) -> int:
    """Simulate the galaxies of a part, the first of which is given; returns how many."""
    end = min(first + GALAXIES_A_PART, galaxies)
    tree = get_tree(TREE)
    votes, truth = [], []
    for number in range(first, end):
        observation = observe(tree, sky, number)
        path = out / image_path(observation.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(observation.png)
        votes.append(observation.votes)
        truth.append(observation.truth)
    left = pa.Table.from_pylist(truth, truth_schema(tree))
    right = pa.Table.from_pylist(votes, votes_schema(tree)).drop_columns(["iauname", "ra", "dec"])
    for name in right.column_names:
        left = left.append_column(right.field(name), right[name])
    target = _part(out, first)
    unfinished = target.with_suffix(f".{os.getpid()}")
    parquet.write_table(left, unfinished)
    unfinished.replace(target)
    return end - first


def _join(out: Path, parts: list[Path]) -> dict[str, int]:
    """The parts as one vote table and one truth table, in order; returns the sums."""
    tree = get_tree(TREE)
    vote_fields, truth_fields = votes_schema(tree), truth_schema(tree)
    totals = {"votes": 0, "erroneous": 0, "misvoted": 0}
    votes_file, truth_file = out / f".{VOTES}", out / f".{TRUTH}"
    with (
        csv.CSVWriter(votes_file, vote_fields, write_options=_CSV) as votes,
        parquet.ParquetWriter(truth_file, truth_fields, compression="zstd") as truth,
    ):
        for path in parts:
            part = parquet.read_table(path)
            votes.write_table(part.select(vote_fields.names).cast(vote_fields))
            truth.write_table(part.select(truth_fields.names).cast(truth_fields))
            for label in tree.labels:
                totals["votes"] += pa.compute.sum(part[label]).as_py()
                totals["erroneous"] += pa.compute.sum(part[f"{label}_errors"]).as_py()
            totals["misvoted"] += pa.compute.sum(part["misvoted"]).as_py()
    votes_file.replace(out / VOTES)
    truth_file.replace(out / TRUTH)
    return totals


_CSV = csv.WriteOptions(quoting_style="none")


def _part(out: Path, first: int) -> Path:
    return out / _PARTS / f"{first:09d}.parquet"


def _write_manifest(out: Path, content: dict[str, object]) -> None:
    unfinished = out / f".{MANIFEST}"
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    unfinished.replace(out / MANIFEST)
