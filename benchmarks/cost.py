"""What whole surveys take, from what was measured of small ones.

    python -m benchmarks.cost

Reads the newest rows of results/growth.jsonl (`python -m benchmarks.growth`) and of
results/writer.jsonl (`python -m benchmarks.writer`). What one more galaxy takes is the
difference of a step's two largest sizes, so that the start of a process is not counted again;
prints core-hours and bytes for three surveys, and what the largest of them asks of a cluster.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import writer
from benchmarks.growth import IMAGE_STEPS, RESULTS, STEPS

SURVEYS = {
    "Galaxy Zoo DECaLS": 314_000,
    "Galaxy Zoo DESI": 8_700_000,
    "Euclid and Rubin": 1_500_000_000,
}
CORES, GPUS = 1_000, 16
# Of a job's cores, the share of the time for which they are busy, measured on two.
BUSY = {"predict": 0.93, "explain": 0.86}
# Images of 424 pixels, bytes: PNGs of GZ DECaLS, and these as JPEGs of quality 90.
IMAGES = {"PNG": 318_000, "JPEG": 48_800}
PART = 256  # galaxies
# The share of the encoder in predicting on cores; passes of it in `explain`, its own included.
ENCODER, PASSES = 0.5, {"predict": 1.0, "explain": 10.3}
# Assumed, not measured. A100: NVIDIA's data sheet (40 GB); the share of a network's limit by that
# sheet (`benchmarks.gpu_limits`) which is reached; cores beside each GPU.
A100_OPERATIONS, A100_BYTES = 19.5e12, 1.555e12
REACHED, CORES_A_GPU = 1 / 3, 16
_UNITS = {"TB": 1e12, "GB": 1e9, "MB": 1e6}


def per_galaxy(rows: list[dict[str, Any]], measure: str) -> float:
    """What one more galaxy takes, from the newest rows of the two largest sizes."""
    newest = {row["galaxies"]: row[measure] for row in rows}
    few, many = sorted(newest)[-2:]
    return float((newest[many] - newest[few]) / (many - few))


def _shown(number: float) -> str:
    """Two digits, or all of a larger number."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def _cell(core_seconds: float, written: float) -> str:
    unit = next((unit for unit, size in _UNITS.items() if written >= size), "MB")
    return f"{_shown(core_seconds / 3600)} core-h, {_shown(written / _UNITS[unit])} {unit}"


def table(results: Path) -> Table:
    """Core-hours and bytes of each step and survey."""
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    heads = [f"{name}\n{size:,}" for name, size in SURVEYS.items()]
    shown = Table("step", "one more galaxy", *heads, box=None)
    for step in (*STEPS, *IMAGE_STEPS):
        measured = [row for row in rows if row["step"] == step and "core_seconds" in row]
        if step == "worst" or len({row["galaxies"] for row in measured}) < 2:
            continue
        seconds, written = (per_galaxy(measured, m) for m in ("core_seconds", "written_bytes"))
        cells = [_cell(seconds * size, written * size) for size in SURVEYS.values()]
        shown.add_row(step, f"{_shown(seconds * 1e3)} ms, {written:,.0f} B", *cells)
    return shown


@dataclass(frozen=True)
class Plan:
    """A job on a cluster: galaxies a second, and what they ask of the rest.

    limited_by: what would have to be more for it to be faster. core: core-seconds that the writer
    takes a galaxy; part_bytes: of the file of a part.
    """

    job: str
    machine: str
    galaxies_a_second: float
    limited_by: str
    core: float
    part_bytes: float

    @property
    def parts_a_second(self) -> float:
        """Tasks that the scheduler hands out, or that an array begins."""
        return self.galaxies_a_second / PART

    @property
    def writers(self) -> float:
        """Cores that take parts in, each into a catalogue of its own."""
        return self.galaxies_a_second * self.core

    def hours(self, galaxies: int) -> float:
        """On the clock."""
        return galaxies / self.galaxies_a_second / 3600

    def read(self, image: str) -> float:
        """Bytes of images read a second, all of one kind."""
        return self.galaxies_a_second * IMAGES[image]

    def written(self) -> float:
        """Bytes of part files a second, written by workers and read by writers."""
        return self.parts_a_second * self.part_bytes


def on_cores(job: str, seconds: float, taken: dict[str, float]) -> Plan:
    """On `CORES`. seconds: core-seconds of a galaxy; taken: as `taken_in` gives it."""
    rate = CORES * BUSY[job] / seconds
    return Plan(job, f"{CORES:,} cores", rate, "cores", taken["core"], taken["part_bytes"])


def on_gpus(job: str, predict: float, at_most: float, taken: dict[str, float]) -> Plan:
    """On `GPUS`, each with its cores, which decode, view and summarise.

    predict: core-seconds that predicting a galaxy takes on cores alone; at_most: galaxies a
    second of the encoder on one GPU, its limit.
    """
    gpus = GPUS * REACHED * at_most / PASSES[job]
    cores = GPUS * CORES_A_GPU / ((1 - ENCODER) * predict)
    name = f"{GPUS} GPUs, {GPUS * CORES_A_GPU} cores"
    limited_by = "GPUs" if gpus < cores else "cores beside the GPUs"
    return Plan(job, name, min(gpus, cores), limited_by, taken["core"], taken["part_bytes"])


def taken_in(rows: Sequence[dict[str, Any]], job: str) -> dict[str, float]:
    """What the writer takes for one more galaxy, core-seconds, and the bytes of a part."""
    own = [row for row in rows if row["job"] == job]
    return {"core": per_galaxy(own, "core_seconds"), "part_bytes": float(own[-1]["part_bytes"])}


def of_one_machine(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Core-seconds of predicting and explaining a galaxy, from the newest commit with both."""
    newest = [row for row in rows if row["commit"] == rows[-1]["commit"]]
    return {
        job: per_galaxy([row for row in newest if row["step"] == job], "core_seconds")
        for job in IMAGE_STEPS
    }


def a100_limit() -> float:
    """Galaxies a second that the bundled model's encoder could do at most, by the data sheet."""
    from benchmarks.gpu_limits import Rates, layers_of, limit
    from benchmarks.gpu_sky import BUNDLED, make_network
    from zoolens.catalog.trees.published import get_tree

    network = make_network(BUNDLED, get_tree("gzd5"), None)
    layers = layers_of(network.model.encoder, 3, network.view.size)
    rates = Rates({"float32": A100_OPERATIONS}, A100_BYTES)
    return 64 / limit(layers, 64, rates, "float32")


def plans(growth: Path, taking: Path) -> list[Plan]:
    """Both jobs on cores and on GPUs."""
    seconds = of_one_machine([json.loads(line) for line in growth.read_text().splitlines()])
    rows = [json.loads(line) for line in taking.read_text().splitlines()]
    taken = {job: taken_in(rows, job) for job in IMAGE_STEPS}
    at_most = a100_limit()
    return [on_cores(job, seconds[job], taken[job]) for job in IMAGE_STEPS] + [
        on_gpus(job, seconds["predict"], at_most, taken[job]) for job in IMAGE_STEPS
    ]


def plan_table(found: Sequence[Plan], galaxies: int) -> Table:
    """What each plan takes and asks for."""
    shown = Table(f"{galaxies:,} galaxies", *(f"{p.job}\n{p.machine}" for p in found), box=None)
    lines = {
        "hours": [_shown(plan.hours(galaxies)) for plan in found],
        "galaxies a second": [f"{plan.galaxies_a_second:,.0f}" for plan in found],
        "limited by": [plan.limited_by for plan in found],
        **{
            f"images read, {kind}, GB/s": [_shown(plan.read(kind) / 1e9) for plan in found]
            for kind in IMAGES
        },
        "parts a second": [_shown(plan.parts_a_second) for plan in found],
        "part files, GB/s": [_shown(plan.written() / 1e9) for plan in found],
        "writers, cores": [_shown(plan.writers) for plan in found],
    }
    for name, cells in lines.items():
        shown.add_row(name, *cells)
    return shown


def main() -> None:
    """Show both."""
    console = Console(soft_wrap=True)
    console.print(table(RESULTS))
    console.print(plan_table(plans(RESULTS, writer.RESULTS), SURVEYS["Euclid and Rubin"]))


if __name__ == "__main__":
    main()
