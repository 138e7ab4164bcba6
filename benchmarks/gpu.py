"""The engine cuda on a GPU: whether it is right, how fast it is, and what limits it.

    bash benchmarks/gpu.sh [--cpu] [--out FILE]

Needs the repository, what `benchmarks/gpu_pack.sh` packs or has found installed, and no network.
Compares features and maps with autograd in float64 on the CPU; measures the GPU's own rates, and
what the encoder, the engine, explanations and whole jobs take, for the bundled model and for two
networks of random weights. Everything is written to FILE after each step (results/gpu.json), and
what does not fit into the time is named there; where OUT names a folder, it is also kept in that.
Exit code 1 if a step failed, or the engine in float32 is not right.

--cpu is a dry run without a GPU: the same steps, in small, with the CPU in its place.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from benchmarks import gpu_fractions, gpu_steps
from benchmarks.gpu_limits import Rates, measured_rates
from benchmarks.gpu_sky import NETWORKS, make_network
from benchmarks.gpu_trial import Sizes, Trial
from zoolens.catalog.network import devices
from zoolens.catalog.network.engines import PRECISIONS
from zoolens.catalog.trees.published import get_tree

RESULTS = Path(__file__).parent / "results" / "gpu.json"
MOST = 420  # seconds after which no step is begun, of the eight minutes that the shell allows
RIGHT = 1e-4  # of the largest value, for features and maps in float32
DRY = Sizes(
    batches=(1, 2),
    spent=0.01,
    compared=2,
    threads=(1, 2),
    pictures=1,
    distinct=2,
    batch=2,
    shared=4,
    samples=3,
    side=64,
    copied=2**16,
    size=64,
)
_PACKAGES = ("galaxy-datasets", "numba", "numpy", "pillow", "scipy", "timm", "torch", "torchvision")


@dataclass
class Report:
    """What was found, in files that are whole after every step."""

    paths: Sequence[Path]
    found: dict[str, Any]
    started: float = field(default_factory=time.perf_counter)

    def step(self, place: tuple[str, ...], work: Callable[[], Any]) -> None:
        """Do `work` and keep what it returns at a place; a failure is kept too, and not raised."""
        name = ", ".join(place)
        since = time.perf_counter()
        if since - self.started > MOST:
            self.found["left out for want of time"].append(name)
        else:
            print(f"{since - self.started:5.0f} s  {name}", file=sys.stderr, flush=True)
            try:
                at = self.found
                for key in place[:-1]:
                    at = at.setdefault(key, {})
                at[place[-1]] = work()
            except Exception as error:  # what else can be measured is
                traceback.print_exc(limit=-3)
                reason = (str(error).strip() or type(error).__name__).splitlines()[0]
                if isinstance(error, ImportError):
                    reason += "; what is rarely installed, benchmarks/gpu_pack.sh packs"
                self.found["failed"][name] = f"{type(error).__name__}: {reason}"[:300]
                if torch.cuda.is_available():
                    torch.cuda.empty_cache()
        self.found["seconds"] = time.perf_counter() - self.started
        for path in self.paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.found, indent=1) + "\n")


def machine(device: torch.device) -> dict[str, Any]:
    """What this ran on, as far as it can be told."""
    found: dict[str, Any] = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU, a dry run",
        "cores": len(os.sched_getaffinity(0)),
        "commit": _said("git", "describe", "--always", "--dirty"),
        "versions": {"python": platform.python_version(), "cuda": torch.version.cuda}
        | {package: _version(package) for package in _PACKAGES},
    }
    if device.type == "cuda":
        told = torch.cuda.get_device_properties(device)
        found |= {
            "memory_bytes": told.total_memory,
            "multiprocessors": told.multi_processor_count,
            "cudnn": torch.backends.cudnn.version(),
            "driver": _said("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"),
        }
    return found


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "packed"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


Steps = Iterator[tuple[tuple[str, ...], Callable[[], Any]]]


def steps(device: torch.device, sizes: Sizes) -> Steps:
    """What to do, where to keep it; what matters most first, and each step after those it needs."""
    measured: dict[str, Rates] = {}
    trials: dict[str, Trial] = {}

    def rates() -> dict[str, Any]:
        measured["here"] = measured_rates(device, sizes.side, sizes.copied, sizes.spent)
        return asdict(measured["here"])

    def prepared(name: str) -> dict[str, Any]:
        tree = get_tree("gzd5")
        network = make_network(name, tree, sizes.size)
        trials[name] = Trial(network, tree, measured["here"], sizes)
        return network.view.config()

    yield ("rates",), rates
    for name in NETWORKS:
        yield ("networks", name, "view"), partial(prepared, name)

    def of_each(step: str, work: Callable[..., Any], **others: Any) -> Steps:
        for name, trial in trials.items():
            yield ("networks", name, step), partial(work, trial, **others)

    yield from of_each("compared with float64", gpu_steps.compared)
    yield from of_each("limits", gpu_steps.limits)
    yield from of_each("fractions that add up", gpu_fractions.adding_up)
    for step, work in (("explained", gpu_steps.explaining), ("encoder", gpu_steps.encoding)):
        for precision in PRECISIONS:
            yield from of_each(f"{step}, {precision}", work, precision=precision)
    last = sizes.threads[-1:]
    jobs = (("float32", "PNG", sizes.threads), ("float32", "JPEG", last), ("bfloat16", "PNG", last))
    for precision, kind, threads in jobs:
        yield from of_each(
            f"whole jobs, {kind}, {precision}",
            gpu_steps.whole,
            precision=precision,
            kind=kind,
            threads=threads,
        )
    for precision in PRECISIONS:
        yield from of_each(f"engine, {precision}", gpu_steps.engine, precision=precision)


def wrong(found: dict[str, Any]) -> list[str]:
    """Networks whose features or maps in float32 are not right, and by how much."""
    return [
        f"{name}: {what} off by {off:.1e}"
        for name, network in found.get("networks", {}).items()
        for what, off in network.get("compared with float64", {}).get("float32", {}).items()
        if not off <= RIGHT
    ]


def summary(found: dict[str, Any]) -> Iterator[str]:
    """A few lines to read at once."""
    rates = found.get("rates")
    if rates:
        products = ", ".join(f"{p} {r / 1e12:.3g}" for p, r in rates["operations"].items())
        yield f"matrix products, TFLOP/s: {products}; copies, GB/s: {rates['copied'] / 1e9:.3g}"
    for name, network in found.get("networks", {}).items():
        yield name
        for precision in PRECISIONS:
            errors = network.get("compared with float64", {}).get(precision, {})
            if errors:
                told = ", ".join(f"{what} {off:.1e}" for what, off in errors.items())
                yield f"  {precision}, off float64: {told}"
            rows = network.get(f"encoder, {precision}", [])
            for row in rows[-1:]:
                fastest = max(v for k, v in row.items() if k.startswith("galaxies a second"))
                yield (
                    f"  {precision}, encoder, {row['images']} images: {fastest:,.0f} a second, "
                    f"{row['share of the limit']:.2f} of the limit"
                )
            explained = network.get(f"explained, {precision}", {})
            for row in explained.get("batches", [])[-1:]:
                yield (
                    f"  {precision}, all maps ({explained['engine']}), {row['images']} images: "
                    f"{row['maps, galaxies a second']:,.0f} a second, "
                    f"{row['maps, times the encoder']:.2f} times the encoder"
                )
        for row in network.get("fractions that add up", {}).get("batches", [])[-1:]:
            yield (
                f"  float32, maps that add up, {row['images']} images: "
                f"{row['all, galaxies a second']:,.0f} a second, "
                f"{row['all, times the encoder']:.2f} times the encoder"
            )
        for step, rows in network.items():
            if step.startswith("whole jobs"):
                for row in rows:
                    numbers = ", ".join(f"{k} {row[k]:,.0f}" for k in _JOBS)
                    yield f"  {step}, {row['threads']} threads, a second: {numbers}"


_JOBS = ("decoded", "predicted", "explained")


def main() -> None:
    """Measure, keep, show."""
    parser = argparse.ArgumentParser(prog="gpu.sh", description="The engine cuda on a GPU.")
    parser.add_argument("--cpu", action="store_true", help="a dry run, the CPU as the GPU")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where to keep the results")
    given = parser.parse_args()
    if given.cpu:
        devices.GPU = torch.device("cpu")
        torch.set_num_threads(1)
    elif not torch.cuda.is_available():
        sys.exit("gpu: torch finds no GPU on this machine; a dry run: benchmarks/gpu.sh --cpu")
    devices.without_tf32()
    sizes = DRY if given.cpu else Sizes()
    paths = [
        given.out,
        *(Path(folder) / "gpu.json" for folder in [os.environ.get("OUT")] if folder),
    ]
    report = Report(paths, {"failed": {}, "left out for want of time": []})
    report.step(("machine",), partial(machine, devices.GPU))
    for place, work in steps(devices.GPU, sizes):
        report.step(place, work)
    print(*summary(report.found), sep="\n")
    faults = [*wrong(report.found), *(f"{n}: {r}" for n, r in report.found["failed"].items())]
    print(*(f"FAILED {fault}" for fault in faults), f"kept in {given.out}", sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
