"""Draws `docs/images/explore.png` and `explore-galaxy.png`: the page of a server, as it is seen.

zoolens simulate sky -n 400 --seed 41
zoolens ingest sky/votes.csv --images sky/images --model gzd5-simulated --catalog sky.duckdb
zoolens explain --all --catalog sky.duckdb
zoolens serve --catalog sky.duckdb &
python -m benchmarks.page_pictures http://127.0.0.1:8000/ J044950.39+002532.4
"""

import io
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image

from tests.made.browsers import chromium

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
_SIZE = {"width": 1280, "height": 800}
_COLOURS = 256
_WAIT = 60_000  # ms


def main() -> None:
    """Draw both."""
    address, name = sys.argv[1:]
    with chromium() as browser:
        page = browser.new_page(viewport=_SIZE, color_scheme="light")
        page.set_default_timeout(_WAIT)
        page.goto(address)
        _settle(page, "#rows tr:nth-child(-n+11) img")
        _keep(page, "explore.png")
        page.goto(address + "#" + urlencode({"galaxy": name}))
        page.reload()
        _settle(page, "#stage img, #counterparts img")
        page.wait_for_timeout(3_000)  # its maps are drawn in the meantime
        _keep(page, "explore-galaxy.png")


def _settle(page: Any, images: str) -> None:
    """Wait until images are there."""
    page.locator(images).first.wait_for()
    page.wait_for_function(
        "(images) => [...document.querySelectorAll(images)].every((one) => one.naturalWidth)",
        arg=images,
    )


def _keep(page: Any, name: str) -> None:
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = image.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=5)
    few.save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    main()
