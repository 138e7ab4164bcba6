"""How many galaxies a second the process that holds the catalogue takes in, and in what memory.

    python -m benchmarks.writer [predict | explain] [GALAXIES ...]

Part files of 256 galaxies lie ready: of predictions (GZ DECaLS's 34 answers, 30 samples), or of
the maps of 10 questions, in the bundled model's 5 x 5 cells; numbers are random. They are read,
checked, committed with their rows of the ledger and deleted by what `predict` and `explain` call.
Of many galaxies the same files come again and again, under other names, and so do the numbers of
their galaxies. Each size is a process of its own; appends to results/writer.jsonl.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import pyarrow as pa

from benchmarks.growth import bytes_written, timed

RESULTS = Path(__file__).parent / "results" / "writer.jsonl"
JOBS = ("predict", "explain")
SIZES = (10_240, 102_400)
SAMPLES, CELLS = 30, 5
_OWN, _RANDOM = 80, 8  # parts with their galaxies' own numbers; parts whose values are drawn
_TABLE = {"predict": "prediction", "explain": "saliency_map"}
_CHUNK = 100_000


@dataclass(frozen=True)
class Ready:
    """A recipe of rows that are there."""

    batch_size: ClassVar[int] = 32
    job: str

    @property
    def table(self) -> str:
        return _TABLE[self.job]

    def settings(self) -> Mapping[str, Any]:
        return {"samples": SAMPLES, "cells": CELLS}

    def prepared(self) -> Any:
        raise NotImplementedError("every part is there")


def add_galaxies(catalog: Path, galaxies: int) -> None:
    """A catalogue of galaxies with images, which nobody voted on."""
    from tests.made.catalogues import blank
    from zoolens.catalog.store.ingests import begin_ingest, finish_ingest
    from zoolens.catalog.store.store import Store
    from zoolens.catalog.store.tables import arrow_schema
    from zoolens.catalog.trees.published import get_tree

    with Store.open(blank(catalog)) as store:
        run = begin_ingest(store, {"galaxies_sha256": "made", "tree": None}, {}, None)
        for start in range(0, galaxies, _CHUNK):
            number = range(start + 1, min(start + _CHUNK, galaxies) + 1)
            size = len(number)
            names = [f"J{n:010d}" for n in number]
            galaxy = {"galaxy_id": [*number], "iauname": names, "ra": None, "dec": None}
            image = {
                "galaxy_id": [*number],
                "source": [f"images/{name}.png" for name in names],
                "member": None,
                "format": ["png"] * size,
                "height": [424] * size,
                "width": [424] * size,
                "sha256": [f"{n:064x}" for n in number],
            }
            tables = {}
            for table, columns in (("galaxy", galaxy), ("image", image)):
                tables[table] = pa.Table.from_arrays(
                    [
                        pa.array(columns[f.name] or [None] * size, f.type)
                        for f in arrow_schema(table)
                    ],
                    schema=arrow_schema(table),
                )
            store.commit(run, f"from {start}", tables)
        with store.transaction():
            finish_ingest(store, run)
        store.set_tree(get_tree("gzd5"))


def random_rows(job: str, ids: Sequence[int], seed: int) -> dict[str, pa.Table]:
    """Rows of a part, of random values."""
    from tests.made.catalogues import random_concentrations
    from zoolens.catalog.explain.rows import in_galaxy_order, map_rows, statistic_rows
    from zoolens.catalog.predictions.posterior import summarise
    from zoolens.catalog.predictions.rows import posterior_rows, prediction_rows, question_rows
    from zoolens.catalog.store.rejects import reject_table
    from zoolens.catalog.trees.published import get_tree

    tree, none = get_tree("gzd5"), {"reject": reject_table([])}
    if job == "predict":
        drawn = random_concentrations(len(ids), SAMPLES, tree, seed=seed)
        summary = summarise(drawn, tree)
        return {
            "prediction": prediction_rows(ids, summary),
            "question_prediction": question_rows(ids, summary),
            "posterior": posterior_rows(ids, drawn),
            **none,
        }
    random = np.random.default_rng(seed)
    shape = (len(ids), len(tree.labels), CELLS, CELLS)
    mean, spread, fractions = random.normal(0, 1, (3, *shape)).astype(np.float32)
    covered = random.uniform(0, 0.5, (2, len(ids), CELLS, CELLS))
    both = covered[0], covered[1]
    told = random.uniform(0, 1, (2, *shape[:2]))
    statistics = [
        statistic_rows(ids, "concentration", mean, both),
        statistic_rows(ids, "fraction", fractions, both, told[0], told[1]),
    ]
    return {
        "saliency_map": map_rows(ids, mean, np.abs(spread), tree),
        "saliency_stat": in_galaxy_order(statistics),
        **none,
    }


def write_parts(job: str, catalog: Path, folder: Path) -> None:
    """Files of the first parts of a catalogue, called 0, 1, …, in a folder."""
    from zoolens.catalog.parts.cells import cells, read_cells
    from zoolens.catalog.parts.computing import facts_of
    from zoolens.catalog.parts.files import write_part
    from zoolens.catalog.store.galaxies import galaxies_with_image
    from zoolens.catalog.store.store import Store

    facts, drawn = facts_of(Ready(job)), []
    with Store.open(catalog, read_only=True) as store:
        every = galaxies_with_image(store)
        first = cells(every, every)[:_OWN]
        for number, galaxies in enumerate(read_cells(store, first)):
            ids = first[number].tolist()
            if number < _RANDOM:
                drawn.append(random_rows(job, ids, number))
            by = ids[0] - first[number % _RANDOM][0]
            rows = {name: _moved(table, by) for name, table in drawn[number % _RANDOM].items()}
            write_part(folder / str(number), facts, galaxies, rows)


def _moved(rows: pa.Table, by: int) -> pa.Table:
    """Rows of as many galaxies whose numbers are larger by so many."""
    if "galaxy_id" not in rows.schema.names:
        return rows
    place = rows.schema.get_field_index("galaxy_id")
    ids = pa.array(rows["galaxy_id"].to_numpy() + by)
    return rows.set_column(place, rows.schema.field(place), ids)


def take_in(job: str, catalog: Path, made: Path, folder: Path) -> int:
    """Commit the parts of all galaxies, from files that were made; returns how many galaxies."""
    from zoolens.catalog.parts.computing import ThroughFolder
    from zoolens.catalog.parts.files import part_path
    from zoolens.catalog.parts.filling import fill_from_parts
    from zoolens.catalog.store.galaxies import galaxies_with_image
    from zoolens.catalog.store.store import Store

    files = len([*made.iterdir()])

    def ready(
        function: Callable[[Any], Any], items: Iterable[Any], /
    ) -> Generator[Any, None, None]:
        _, facts, _ = cast(Any, function).args
        for number, galaxies in enumerate(items):
            path = part_path(folder, facts.recipe, galaxies)
            os.link(made / str(number % files), path)
            yield path.name

    recipe = Ready(job)
    with Store.open(catalog) as store:
        every = galaxies_with_image(store)
        run = store.begin(job, dict(recipe.settings()), model_sha256="00" * 32)
        through = ThroughFolder(folder, ready)
        fill_from_parts(store, run, recipe, every, every, through, job)
        store.finish(run)
    return len(every)


def child(job: str, name: str) -> None:
    """What taking in took, as JSON on standard output."""
    import zoolens.catalog.parts.filling
    import zoolens.catalog.store.tables  # noqa: F401 (its import is not what is timed)

    folder = Path(name)
    took = time.process_time()
    found = timed(lambda: take_in(job, folder / "gz.duckdb", folder / "made", folder / "parts"))
    print(json.dumps({**found, "core_seconds": found["core_seconds"] - took}))


def measure(job: str, galaxies: int) -> dict[str, object]:
    """Seconds, core-seconds and peak bytes of taking in so many, and the bytes written."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("made", "parts"):
            (folder / each).mkdir()
        add_galaxies(folder / "gz.duckdb", galaxies)
        write_parts(job, folder / "gz.duckdb", folder / "made")
        before, size = bytes_written(folder), bytes_written(folder / "made", "0")
        code = f"from benchmarks import writer; writer.child({job!r}, {name!r})"
        done = subprocess.run([sys.executable, "-c", code], check=True, stdout=-1, text=True)
        assert not [*(folder / "parts").iterdir()], "a part was not taken in"
        written = bytes_written(folder) - before
        load = {"others": os.getloadavg()[0]}
    row = {"galaxies": galaxies, "job": job, "part_bytes": size, "written_bytes": written, **load}
    return {**row, **json.loads(done.stdout)}


def main() -> None:
    """Measure, keep, show."""
    from benchmarks.contest import surroundings

    jobs = [job for job in JOBS if job in sys.argv[1:]] or JOBS
    sizes = [int(size) for size in sys.argv[1:] if size not in JOBS] or SIZES
    for job in jobs:
        for galaxies in sizes:
            row = measure(job, galaxies)
            with RESULTS.open("a") as file:
                file.write(json.dumps({**row, **surroundings()}) + "\n")
            took, core, peak = (
                float(str(row[name])) for name in ("seconds", "core_seconds", "peak_bytes")
            )
            print(
                f"{job:<8} {galaxies:>10,} galaxies: {galaxies / took:8,.0f} a second, "
                f"{galaxies / core:8,.0f} a core-second, peak {peak / 1e9:.2f} GB"
            )


if __name__ == "__main__":
    main()
