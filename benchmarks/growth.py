"""How time, memory and disk grow with the number of galaxies, step by step.

    python -m benchmarks.growth [GALAXIES ...]

Votes are synthetic, in GZ DECaLS's layout; predictions are synthetic concentrations (5
samples), images the hundred real ones of ../shared/data again and again, shown to the
bundled model; without them, and above 100,000 galaxies, nothing is predicted or explained
(100,000 take most of an hour of two cores). Each step is a process of its own, so that its
peak memory is its own (read from /proc: Linux only). Appends to results/growth.jsonl and
prints seconds, peak memory, and the exponent that fits the last two sizes.
"""

import itertools
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results" / "growth.jsonl"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
STEPS = ("ingest", "score", "index", "worst", "release")
IMAGE_STEPS, MOST_IMAGES = ("predict", "explain"), 100_000
SAMPLES, _MADE = 5, 20_000


def step(name: str, folder: Path) -> None:
    """One step on a catalogue, in this process."""
    catalog = folder / "gz.duckdb"
    if name == "ingest":
        from zoolens.jobs.ingest import ingest

        ingest(catalog, folder / "votes.csv")
    elif name == "score":
        from zoolens.jobs.score import score

        score(catalog)
    elif name == "index":
        from zoolens.jobs.index import index

        index(catalog)
    elif name == "worst":
        from zoolens.jobs.worst import worst

        worst(catalog)
    elif name == "release":
        from zoolens.catalog.release.provenance import Title
        from zoolens.jobs.release import release
        from zoolens.jobs.settings import Cut

        release(catalog, folder / "release", Title("Growth", "1"), Cut(formats=["fits", "hats"]))
    elif name == "predict":
        from zoolens.catalog.paths import BUNDLED_MODEL
        from zoolens.jobs.predict import predict

        predict(catalog, str(BUNDLED_MODEL))
    else:
        from zoolens.jobs.explain import explain
        from zoolens.jobs.settings import Which

        explain(catalog, Which(everything=True), figures=False)


def add_predictions(folder: Path, galaxies: int) -> None:
    """Synthetic concentrations of all galaxies."""
    import numpy as np

    from tests.made.catalogues import add_predictions, random_concentrations
    from zoolens.catalog.store.store import Store
    from zoolens.catalog.trees.published import get_tree

    made = random_concentrations(_MADE, SAMPLES, get_tree("gzd5"))
    with Store.open(folder / "gz.duckdb") as store:
        first = store.value("SELECT min(galaxy_id) FROM galaxy")
        for start in range(0, galaxies, _MADE):
            ids = np.arange(first + start, first + min(start + _MADE, galaxies))
            add_predictions(store, made[: len(ids)], galaxy_ids=ids.tolist(), shard=str(start))


def add_images(folder: Path, galaxies: int) -> None:
    """An image for each galaxy, the same ones in turn."""
    import numpy as np

    from benchmarks.__main__ import IMAGES
    from zoolens.catalog.images.checking import image_rows
    from zoolens.catalog.images.reader import ImageReader
    from zoolens.catalog.images.sources import ImageEntry
    from zoolens.catalog.store.store import Store

    files = [ImageEntry(file.stem, str(file)) for file in IMAGES.rglob("*.png")]
    with Store.open(folder / "gz.duckdb") as store, ImageReader() as reader:
        first = store.value("SELECT min(galaxy_id) FROM galaxy")
        known = image_rows(reader, list(enumerate(files)))["image"]
        ids = np.arange(first, first + galaxies)
        rows = known.take(np.arange(galaxies) % len(known))
        rows = rows.set_column(rows.schema.get_field_index("galaxy_id"), "galaxy_id", [ids])
        run = store.begin("ingest", {"images": "of the benchmark"})
        store.commit(run, "images", {"image": rows})
        store.finish(run)


def measure(galaxies: int) -> Iterator[dict[str, object]]:
    """Seconds, core-seconds and peak bytes of each step, and the bytes that it wrote."""
    from benchmarks.__main__ import IMAGES
    from benchmarks.ingest import write_votes

    steps = STEPS + (IMAGE_STEPS if galaxies <= MOST_IMAGES and IMAGES.is_dir() else ())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_votes(folder / "votes.csv", galaxies)
        before = 0
        for each in steps:
            code = f"from benchmarks import growth; growth.child({each!r}, {name!r})"
            done = subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, text=True
            )
            taken = bytes_written(folder) - before
            if each == "release":
                taken = bytes_written(folder / "release", "**/*")
                shutil.rmtree(folder / "release")
            found = {"written_bytes": taken, **json.loads(done.stdout)}
            yield {"galaxies": galaxies, "step": each, **found}
            if each == "ingest":
                add_predictions(folder, galaxies)
            if each == STEPS[-1] and steps != STEPS:
                add_images(folder, galaxies)
            before = bytes_written(folder)


def bytes_written(folder: Path, which: str = "gz.*") -> int:
    """Bytes of the catalogue and the files beside it, or of other files."""
    return sum(file.stat().st_size for file in folder.glob(which) if file.is_file())


def child(name: str, folder: str) -> None:
    """A step, and what it took, as JSON on standard output."""
    print(json.dumps(timed(lambda: step(name, Path(folder)))))


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Seconds, core-seconds and peak bytes of this process, whose whole work it is."""
    start = time.perf_counter()
    work()
    took = {"seconds": time.perf_counter() - start, "core_seconds": time.process_time()}
    # not getrusage, which counts what the parent held before this program took its place
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return {**took, "peak_bytes": 1024 * int(peak.split()[1])}


def _exponent(found: dict[int, dict[str, object]]) -> str:
    """Of the power of the number of galaxies that the time of the two largest follows."""
    if len(found) < 2:
        return "-"
    (few, short), (many, long) = sorted(found.items())[-2:]
    times = float(str(long["seconds"])) / float(str(short["seconds"]))
    return f"{math.log(times) / math.log(many / few):.2f}"


def main() -> None:
    """Measure, keep, show."""
    from benchmarks.contest import surroundings

    sizes = [int(size) for size in sys.argv[1:]] or list(SIZES)
    rows = []
    for row in itertools.chain.from_iterable(map(measure, sizes)):
        print(row, file=sys.stderr)
        rows.append(row)
        with RESULTS.open("a") as file:
            file.write(json.dumps({**row, **surroundings()}) + "\n")
    table = Table("step", *(f"{size:,}" for size in sizes), "exponent", box=None)
    for each in STEPS + IMAGE_STEPS:
        by_size = {int(str(row["galaxies"])): row for row in rows if row["step"] == each}
        cells = [
            f"{by_size[n]['seconds']:.2f} s, {int(str(by_size[n]['peak_bytes'])) / 1e9:.2f} GB"
            if n in by_size
            else "-"
            for n in sizes
        ]
        table.add_row(each, *cells, _exponent(by_size))
    Console(soft_wrap=True).print(table)


if __name__ == "__main__":
    main()
