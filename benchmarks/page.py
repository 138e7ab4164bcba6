"""The page to explore, of 314,000 galaxies: when something is seen, and when its rows are.

    python -m benchmarks.page [ADDRESS ...]

Votes and predictions are synthetic (GZD-5 tree), so that of 27 % of the galaxies the costliest
answer is of too few votes and another is looked for. Each address (what follows #; the first view,
and others, unless given) is opened five times in Chromium, which knows nothing of the page yet;
each query may take 1 GB. Prints medians, and appends raw seconds to results/page.jsonl: until the
first contentful paint, until the first row, until nothing is loaded any more (rows, their number,
the sky).
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contest import surroundings
from benchmarks.score import GALAXIES, MADE, SAMPLES, TREE, fill
from tests.made.browsers import DESKTOP, chromium
from tests.made.catalogues import random_concentrations, random_counts
from tests.made.serving import serving
from zoolens.jobs.index import index
from zoolens.jobs.score import score

RESULTS = Path(__file__).parent / "results" / "page.jsonl"
ADDRESSES = ("", "votes=0", "votes=30", "answer=question:bulge-size", "view=losses")
_TIMES = 5
_WAIT = 60_000  # ms


def main() -> None:
    """Make the catalogue, serve it, look at it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = folder / "page.duckdb"
        fill(path, random_counts(MADE, TREE), random_concentrations(MADE, SAMPLES, TREE))
        score(path)
        index(path)
        with serving(path, folder / "jobs", "--memory", "1") as served, chromium() as browser:
            for address in sys.argv[1:] or ADDRESSES:
                seen = [opened(browser, served.url, address) for _ in range(_TIMES)]
                print(address, {name: median(one[name] for one in seen) for name in seen[0]})
                row = {"galaxies": GALAXIES, "address": address, "seconds": seen}
                with RESULTS.open("a") as file:
                    file.write(json.dumps({**row, **surroundings()}) + "\n")


def opened(browser: Any, url: str, address: str) -> dict[str, float]:
    """Seconds until what is there to be seen of the page."""
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
    page = context.new_page()
    page.set_default_timeout(_WAIT)
    begun = time.perf_counter()
    page.goto(url.removesuffix("tap") + "#" + address)
    page.locator("#rows tr").first.wait_for()
    rows = time.perf_counter() - begun
    page.wait_for_load_state("networkidle")
    ended = time.perf_counter() - begun
    paints = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    context.close()
    return {"paint": paints / 1000, "rows": rows, "all": ended}


if __name__ == "__main__":
    main()
