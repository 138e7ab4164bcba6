"""What a cluster costs: parts a second without work, memory, and two workers against one.

    python -m benchmarks.cluster [--full] [--galaxies N]

Null work: a thousand parts (100,000 with --full) of 256 galaxies go through scheduler, two
workers and back, each answered by its number; what a part takes beside its work, and the memory of
the process that holds scheduler and client at a tenth of them and at the end. Real work:
predictions of simulated galaxies by the bundled model, by one worker and by two, their start left
out; and, as the most that two can do on this machine, by one process without a cluster, and by two
that do not know of each other, of one core and half the galaxies each. Appends to
results/cluster.jsonl.
"""

import argparse
import json
import multiprocessing
import os
import pickle
import shutil
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contest import surroundings
from zoolens.catalog.cluster.asked import Local
from zoolens.catalog.cluster.connecting import connected
from zoolens.catalog.cluster.ordered import ordered
from zoolens.catalog.cluster.team import Team
from zoolens.catalog.galaxy import Galaxy
from zoolens.catalog.runtime.progress import set_quiet

RESULTS = Path(__file__).parent / "results" / "cluster.jsonl"
GALAXIES_A_PART = 256
_READY = 300  # seconds until processes have begun


def number_of(part: list[Galaxy]) -> int:
    """The null work: as much to send as for real."""
    return part[0].galaxy_id


def null_work(parts: int, workers: int = 2) -> dict[str, Any]:
    """Seconds a part, bytes a task, and memory (MB) at a tenth of the parts and at their end."""
    whole = [
        Galaxy(i, f"J{i:018d}", f"/survey/images/J{i // 1000:03d}/J{i:018d}.png", None, f"{i:064x}")
        for i in range(GALAXIES_A_PART)
    ]
    with connected(Local(workers)) as (client, said):
        team = Team(client, Local(workers), said)
        team.await_first()
        pack = partial(team.task, pickle.dumps(number_of))
        made = ([whole[0]._replace(galaxy_id=part), *whole[1:]] for part in range(parts))
        begun, memory = time.perf_counter(), 0.0
        for done, answer in enumerate(ordered(team, pack, made, "null")):
            if answer != done:
                raise RuntimeError(f"part {done} gave {answer}")
            if done == parts // 10:
                memory = resident()
        seconds = time.perf_counter() - begun
        return {
            "parts": parts,
            "workers": workers,
            "parts_per_second": parts / seconds,
            "bytes_a_task": len(pack(pickle.dumps(whole))),
            "megabytes_at_a_tenth": memory,
            "megabytes_at_the_end": resident(),
        }


def resident() -> float:
    """Memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def real_work(galaxies: int) -> dict[str, Any]:
    """Seconds of predictions by one worker and by two, and their ratio."""
    from zoolens.catalog.cluster.crew import through_cluster
    from zoolens.catalog.paths import BUNDLED_MODEL
    from zoolens.jobs.ingest import ingest
    from zoolens.jobs.predict import predict
    from zoolens.jobs.settings import Inference
    from zoolens.jobs.simulate import simulate

    found: dict[str, Any] = {"galaxies": galaxies}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        simulate(folder / "sky", galaxies=galaxies, size=64)
        ingest(folder / "gz.duckdb", folder / "sky" / "votes.csv", images=folder / "sky" / "images")
        for workers in (1, 2):
            catalog = folder / f"{workers}.duckdb"
            shutil.copy(folder / "gz.duckdb", catalog)
            with through_cluster(f"local:{workers}", folder / "parts") as through:
                through.agreed(str)  # starts the workers
                begun = time.perf_counter()
                predict(catalog, str(BUNDLED_MODEL), Inference(engine="torch"), through=through)
                found[f"seconds_of_{workers}"] = time.perf_counter() - begun
        halves = _halves(folder)
        found["seconds_of_1_apart"] = _seconds_apart([folder / "gz.duckdb"])
        found["seconds_of_2_apart"] = _seconds_apart(halves)
    return found | {
        "ratio": found["seconds_of_1"] / found["seconds_of_2"],
        "ratio_apart": found["seconds_of_1_apart"] / found["seconds_of_2_apart"],
    }


def _halves(folder: Path) -> list[Path]:
    """Two catalogues, each of every other galaxy of a simulated sky."""
    from zoolens.jobs.ingest import ingest

    made = []
    first, *rows = (folder / "sky" / "votes.csv").read_text().splitlines(keepends=True)
    for half in (0, 1):
        votes, catalog = folder / f"half-{half}.csv", folder / f"half-{half}.duckdb"
        votes.write_text("".join([first, *rows[half::2]]))
        ingest(catalog, votes, images=folder / "sky" / "images")
        made.append(catalog)
    return made


def _seconds_apart(catalogs: list[Path]) -> float:
    """Until processes of one core each have predicted their catalogues, their start left out."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(len(catalogs) + 1, timeout=_READY)
    cores = sorted(os.sched_getaffinity(0))[: len(catalogs)]
    processes = [
        spawn.Process(target=_predict_apart, args=(catalog, core, ready))
        for core, catalog in zip(cores, catalogs, strict=True)
    ]
    for process in processes:
        process.start()
    ready.wait()
    begun = time.perf_counter()
    for process in processes:
        process.join()
        if process.exitcode:
            raise RuntimeError("a process that was to predict failed")
    return time.perf_counter() - begun


def _predict_apart(catalog: Path, core: int, ready: Any) -> None:
    os.sched_setaffinity(0, {core})
    from zoolens.catalog.paths import BUNDLED_MODEL
    from zoolens.jobs.predict import predict
    from zoolens.jobs.settings import Inference

    set_quiet(True)
    ready.wait()
    predict(catalog, str(BUNDLED_MODEL), Inference(engine="torch"))


def main() -> None:
    """Measure, print, append."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster")
    parser.add_argument("--full", action="store_true", help="100,000 parts")
    parser.add_argument("--galaxies", type=int, default=20_000, help="of real work; 0 for none")
    asked = parser.parse_args()
    set_quiet(True)
    found: dict[str, Any] = {"null": null_work(100_000 if asked.full else 1000)}
    print(json.dumps(found["null"], indent=1))
    if asked.galaxies:
        found["real"] = real_work(asked.galaxies)
        print(json.dumps(found["real"], indent=1))
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a") as file:
        file.write(json.dumps({**found, **surroundings()}) + "\n")


if __name__ == "__main__":
    main()
