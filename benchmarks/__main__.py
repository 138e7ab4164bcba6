"""What Zoolens takes beside its peers.

    python -m benchmarks [--full] [NAME ...]

Names are those of the modules, all unless given: similar, score, ingest, maps, predict.
Appends raw seconds to results/bench.jsonl and prints medians and ratios. Each module has a
process of its own: after another one's gigabytes pytorch-grad-cam took 2.5 times as long.
"""

import logging
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from benchmarks import contest
from benchmarks.contest import Contest

IMAGES = Path(__file__).resolve().parents[2] / "shared" / "data" / "images"
NAMES = ("similar", "score", "ingest", "maps", "predict")


def contests(name: str, folder: Path, *, full: bool) -> Iterator[Contest]:
    """The contests of a module; none where it needs images and there are none."""
    from benchmarks import ingest, maps, predict, score, similar

    if name in ("maps", "predict") and not IMAGES.is_dir():
        print(f"{name}: left out, as there are no images at ../shared/data", file=sys.stderr)
        return iter(())
    return {
        "similar": lambda: similar.contests(full),
        "score": lambda: score.contests(folder),
        "ingest": lambda: ingest.contests(folder),
        "maps": lambda: maps.contests(IMAGES),
        "predict": lambda: predict.contests(IMAGES, folder, full=full),
    }[name]()


def main() -> None:
    """Measure, check, keep, show."""
    names = [name for name in sys.argv[1:] if name != "--full"]
    unknown = set(names) - set(NAMES)
    if unknown:
        sys.exit(f"no benchmark {unknown.pop()!r}; choose from {', '.join(NAMES)}")
    if len(names) != 1:
        full = ["--full"] if "--full" in sys.argv else []
        for name in names or NAMES:
            subprocess.run([sys.executable, "-m", "benchmarks", *full, name], check=True)
        return
    warnings.simplefilter("ignore")  # Zoobot's and Lightning's, about each other
    logging.disable(logging.WARNING)
    outcomes = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for each in contests(names[0], Path(folder), full="--full" in sys.argv):
                print(f"{each.name} ...", file=sys.stderr)
                seconds = contest.run(each)
                contest.keep(each, seconds)
                outcomes.append((each, seconds))
    finally:
        contest.show(outcomes)
    print(f"raw seconds: {contest.RESULTS}")


if __name__ == "__main__":
    main()
