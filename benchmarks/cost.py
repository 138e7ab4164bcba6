"""What whole surveys take, from what was measured of small ones.

    python -m benchmarks.cost

Reads the newest rows of results/growth.jsonl (`python -m benchmarks.growth`). What one
more galaxy takes is the difference of a step's two largest sizes, so that the start of a
process is not counted again; prints core-hours and bytes for three surveys.
"""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.growth import IMAGE_STEPS, RESULTS, STEPS

SURVEYS = {
    "Galaxy Zoo DECaLS": 314_000,
    "Galaxy Zoo DESI": 8_700_000,
    "Euclid and Rubin": 1_500_000_000,
}
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


if __name__ == "__main__":
    Console(soft_wrap=True).print(table(RESULTS))
