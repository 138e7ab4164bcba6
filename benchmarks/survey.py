"""Whether the predictions of a whole survey are adopted and released in bounded memory.

    python -m benchmarks.survey [GALAXIES ...]

The table is synthetic, in the layout of GZ DESI's friendly table (Walmsley et al. 2023): 34
fractions a galaxy, NULL where fewer than half of the volunteers would be asked, identified by
`dr8_id`, with positions. It goes into a catalogue that does not exist yet, which is then
released. Each step is a process of its own, as in benchmarks.growth; most peak memory, seconds and
the bytes written are appended to results/survey.jsonl. 8,700,000 galaxies need 20 GB of disk.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.growth import bytes_written, timed

RESULTS = Path(__file__).parent / "results" / "survey.jsonl"
SIZES = (300_000, 1_000_000)
STEPS = ("adopt", "release")
_BLOCK = 100_000


def write_friendly(path: Path, galaxies: int) -> None:
    """A synthetic table in the layout of GZ DESI's friendly one."""
    from zoolens.catalog.trees.published import get_tree

    tree = get_tree("desi")
    random = np.random.default_rng(0)
    writer = None
    for start in range(0, galaxies, _BLOCK):
        count = min(_BLOCK, galaxies - start)
        alpha = 1 + 100 * random.beta(0.5, 2, (count, len(tree.labels)))
        fractions = np.concatenate(
            [alpha[:, s] / alpha[:, s].sum(axis=1, keepdims=True) for s in tree.slices], axis=1
        )
        reach = tree.reach(fractions)[:, tree.question_of]
        fractions = fractions.astype(np.float32)
        number = np.arange(start, start + count)
        columns = {
            "dr8_id": [f"{n // 5000 + 300_000}_{n % 5000}" for n in number.tolist()],
            "brickid": number // 5000 + 300_000,
            "objid": number % 5000,
            "ra": random.uniform(0, 360, count),
            "dec": np.degrees(np.arcsin(random.uniform(-0.3, 1, count))),
        }
        for k, label in enumerate(tree.labels):
            columns[f"{label}_fraction"] = pa.array(fractions[:, k], mask=reach[:, k] < 0.5)
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def step(name: str, folder: Path) -> None:
    """One step on a catalogue, in this process."""
    catalog = folder / "gz.duckdb"
    if name == "adopt":
        from zoolens.jobs.adopt import adopt

        adopt(catalog, folder / "friendly.parquet", id_column="dr8_id", tree="desi")
        return
    from zoolens.catalog.release.provenance import Title
    from zoolens.jobs.release import release

    release(catalog, folder / "release", Title("Survey", "1"))


def child(name: str, folder: str) -> None:
    """A step, and what it took, as JSON on standard output."""
    print(json.dumps(timed(lambda: step(name, Path(folder)))))


def measure(galaxies: int) -> Iterator[dict[str, object]]:
    """What each step took, and the bytes that it wrote."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_friendly(folder / "friendly.parquet", galaxies)
        for each in STEPS:
            code = f"from benchmarks import survey; survey.child({each!r}, {name!r})"
            done = subprocess.run(
                [sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True
            )
            released = ("release", "**/*") if each == "release" else ("", "gz.*")
            written = bytes_written(folder / released[0], released[1])
            table = (folder / "friendly.parquet").stat().st_size
            yield {
                "galaxies": galaxies,
                "step": each,
                "table_bytes": table,
                "written_bytes": written,
                **json.loads(done.stdout),
            }


def main() -> None:
    """Measure, keep, show."""
    from benchmarks.contest import surroundings

    for galaxies in [int(size) for size in sys.argv[1:]] or SIZES:
        for row in measure(galaxies):
            with RESULTS.open("a") as file:
                file.write(json.dumps({**row, **surroundings()}) + "\n")
            seconds, peak = float(str(row["seconds"])), int(str(row["peak_bytes"])) / 1e9
            print(f"{galaxies:>10,} {row['step']:<8} {seconds:8.1f} s  peak {peak:.2f} GB")


if __name__ == "__main__":
    main()
