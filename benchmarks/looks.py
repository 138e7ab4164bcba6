"""Simulated galaxies beside real ones: how large, bright, coloured and noisy they look.

    python -m benchmarks.looks SKY [FOLDER]

SKY: a folder of `simulate`. Measures its galaxies that volunteers would call featured (0.5
to 0.95 of them), as the 100 real images in ../shared/data nearly all are, and those real
ones; prints quartiles and writes them to results/looks.json. FOLDER: where to put a contact
sheet of each, the first fifty of all, none chosen.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage

DATA = Path(__file__).parents[2] / "shared" / "data" / "images"
RESULTS = Path(__file__).parent / "results" / "looks.json"
FEATURED = "smooth-or-featured_featured-or-disk_probability"
SIDE = 192  # pixel, of the pictures that are measured
ABOVE_SKY = 15  # of 255: where a galaxy ends


def look(path: Path) -> dict[str, float]:
    """Measures of one picture; sizes as shares of its side, brightness out of 255."""
    picture = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    colours = np.asarray(picture).astype(np.float64)
    grey = colours.mean(axis=2)
    rim = np.concatenate([grey[:8].ravel(), grey[-8:].ravel(), grey[8:-8, [0, -1]].ravel()])
    sky = np.median(rim)
    smooth = ndimage.gaussian_filter(grey, 1)
    regions, _ = ndimage.label(smooth > sky + ABOVE_SKY)
    middle = slice(SIDE // 2 - 4, SIDE // 2 + 5)
    galaxy = (regions == regions[middle, middle].max()) & (regions > 0)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    distance = np.hypot(x, y)[galaxy]
    order = np.argsort(distance)
    held = np.cumsum((grey - sky)[galaxy][order])
    return {
        "radius": float(np.sqrt(galaxy.sum() / np.pi) / SIDE),
        "half-brightness radius": float(distance[order][np.searchsorted(held, held[-1] / 2)])
        / SIDE,
        "brightest": float(smooth[middle, middle].max()),
        "mean": float((grey - sky)[galaxy].mean()),
        "red less blue": float((colours[..., 0] - colours[..., 2])[galaxy].mean()),
        "sky": float(sky),
        "sky noise": float(1.4826 * np.median(np.abs(rim - sky))),
    }


def sheet(paths: list[Path]) -> Image.Image:
    """The first 50 pictures, 80 pixels each, 10 in a row."""
    whole = Image.new("RGB", (800, 400))
    for place, path in enumerate(paths[:50]):
        small = Image.open(path).convert("RGB").resize((80, 80), Image.Resampling.LANCZOS)
        whole.paste(small, (80 * (place % 10), 80 * (place // 10)))
    return whole


def main() -> None:
    """Measure, print and write."""
    sky = Path(sys.argv[1])
    truth = pd.read_parquet(sky / "truth.parquet", columns=["iauname", FEATURED])
    featured = truth[truth[FEATURED].between(0.5, 0.95)].head(400)

    def paths(table: pd.DataFrame) -> list[Path]:
        return [sky / "images" / name[:4] / f"{name}.png" for name in table["iauname"]]

    real = sorted(DATA.glob("*.png"))
    found = {
        kind: pd.DataFrame([look(path) for path in some]).quantile([0.25, 0.5, 0.75])
        for kind, some in (("simulated", paths(featured)), ("real", real))
    }
    for measure in found["real"]:
        quartiles = {kind: table[measure].round(3).tolist() for kind, table in found.items()}
        print(f"{measure:<24}{quartiles}")
    counts = {"simulated": len(featured), "real": len(real)}
    content = {kind: {"galaxies": counts[kind], **found[kind].to_dict()} for kind in found}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")
    if len(sys.argv) > 2:
        folder = Path(sys.argv[2])
        sheet(paths(truth)).save(folder / "simulated-sky.png")
        sheet(real).save(folder / "real-sky.png")


if __name__ == "__main__":
    main()
