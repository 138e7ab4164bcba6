"""A small catalogue with all that a gallery shows: images, maps, losses, an index."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from tests.made.catalogues import (
    TOY,
    add_images,
    catalogue,
    random_concentrations,
    random_counts,
)
from zoolens.catalog.explain.rows import map_rows
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.predictions.rows import posterior_rows, prediction_rows
from zoolens.catalog.release.gallery.page import GalleryReport
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.gallery import draw_gallery, ranked_of
from zoolens.jobs.index import index
from zoolens.jobs.score import score

GALAXIES = 12
TITLE = 'Worst of <all> & "more"'
SIDE = 32  # of the view
UNEXPLAINED = (3, 4)  # galaxies without a map
UNSEEN = (4, 5)  # galaxies without an image
NAMES = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "a'\"&{{ 7*7 }}",
    "x" * 300,
    "\u0645\u062c\u0631\u0629",  # right to left
    "100% 50%25 #galaxy=G0011",
    *(f"G{number:04d}" for number in range(6, GALAXIES)),
)


def gallery_catalogue(folder: Path, names: Sequence[str] = NAMES, *, indexed: bool = True) -> Path:
    """A catalogue of galaxies called `names`, with its images beside it."""
    path, count = folder / "gz.duckdb", len(names)
    catalogue(path, random_counts(count, seed=5), names=names)
    with Store.open(path) as store:
        _predict(store, count)
        _paint(store, folder / "images", [n for n in range(count) if n not in UNSEEN])
        explained = np.array([n for n in range(count) if n not in UNEXPLAINED])
        add_maps(store, explained, saliency(len(explained)))
    score(path)
    if indexed:
        index(path)
    return path


def saliency(galaxies: int, *, seed: int = 8) -> npt.NDArray[np.float32]:
    """Maps (N, A, 4, 5) of either sign."""
    shape = (galaxies, len(TOY.labels), 4, 5)
    return np.random.default_rng(seed).normal(0, 2, shape).astype(np.float32)


def add_maps(
    store: Store, galaxy_id: npt.NDArray[np.int64], maps: npt.NDArray[np.float32], **config: object
) -> int:
    """A complete explain run of galaxies with maps (N, A, h, w); returns its number."""
    view = View(size=SIDE).config()
    made = {
        "predict_run": store.newest_run("predict"),
        "view": view,
        "samples": 0,  # as if dropout had been off: maps of fractions follow from these
        **config,
    }
    run = store.begin("explain", made, model_sha256="00" * 32)
    rows = map_rows(galaxy_id.tolist(), maps, np.abs(maps / 3).astype(np.float32), TOY)
    store.commit(run, "all", {"saliency_map": rows})
    store.finish(run)
    return run.run_id


def _predict(store: Store, galaxies: int) -> None:
    concentrations = random_concentrations(galaxies)
    ids = np.arange(galaxies)
    view = View(size=SIDE).config()
    run = store.begin("predict", {"samples": 3, "seed": 0, "view": view}, model_sha256="00" * 32)
    summary = summarise(concentrations, TOY)
    tables = {
        "prediction": prediction_rows(ids, summary),
        "posterior": posterior_rows(ids, concentrations),
    }
    store.commit(run, "all", tables)
    store.finish(run)


def _paint(store: Store, folder: Path, numbers: Sequence[int]) -> None:
    """An image of each galaxy: a blob at its centre, on noise."""
    folder.mkdir()
    rows = []
    with ImageReader() as reader:
        for number in numbers:
            random = np.random.default_rng(number)
            y, x = np.mgrid[:48, :48] - 24
            blob = 200 * np.exp(-(x**2 + y**2) / random.uniform(30, 90))
            colour = random.uniform(0.6, 1, 3)
            pixels = np.clip(blob[..., None] * colour + random.normal(15, 4, (48, 48, 3)), 0, 255)
            file = folder / f"{number}.png"
            Image.fromarray(pixels.astype(np.uint8)).save(file)
            facts = vars(reader.inspect(str(file)))
            rows.append({"galaxy_id": number, "source": str(file), **facts})
    add_images(store, rows)


def write_page(
    path: Path,
    folder: Path,
    *,
    limit: int = 100,
    min_votes: float | None = None,
    among: npt.NDArray[np.int64] | None = None,
    title: str = TITLE,
) -> GalleryReport:
    """Write the gallery of a catalogue."""
    with Store.open(path, read_only=True) as store:
        tree = store.tree
        ranked = ranked_of(store, [], limit, min_votes, among)
    return draw_gallery([path], ranked, folder, tree=tree, min_votes=min_votes, title=title)


def page_data(folder: Path) -> list[dict[str, Any]]:
    """What the page's script is given."""
    text = (folder / "index.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found is not None
    galaxies: list[dict[str, Any]] = json.loads(found[1], parse_constant=pytest.fail)
    return galaxies
