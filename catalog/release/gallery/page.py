"""The gallery: a page, read from disk, to browse the galaxies of the worst losses.

The page holds its table and, as JSON, what its script shows of each galaxy; script, style
and images are files beside it. It loads nothing else, and its content policy forbids it.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import numpy as np
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.derived import exact_fractions, stored_fractions
from zoolens.catalog.explain.wording import BASELINE
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.output.figures import shown
from zoolens.catalog.output.html import TEMPLATES, write_page
from zoolens.catalog.release.gallery.data import LONGEST, answer_choices, galaxies_data
from zoolens.catalog.release.gallery.images import Drawn, Plate, draw
from zoolens.catalog.release.gallery.rows import Rows
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.runtime.progress import progress
from zoolens.catalog.saliency.arithmetic import Map
from zoolens.catalog.store.galaxies import read_galaxies
from zoolens.catalog.store.maps import explanations_of
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Run, Store

_BESIDE = (
    *("page.css", "page-parts.js"),
    *("gallery.css", "gallery-detail.js", "gallery-list.js", "gallery.js"),
)


@dataclass(frozen=True)
class GalleryReport:
    """What a gallery holds: galaxies, and how many are without an image or a map."""

    galaxies: int
    without_image: int
    without_maps: int


def write_gallery(
    folder: Path,
    rows: Rows,
    drawn: Mapping[int, Drawn],
    *,
    tree: DecisionTree,
    min_votes: float | None,
    title: str,
) -> GalleryReport:
    """Write `index.html` and what lies beside it, except the images (`draw_rows`).

    min_votes: those of `read_worst`. The same galaxies give the same bytes. Raises `CatalogError`
    if files cannot be written.
    """
    for name in _BESIDE:
        with replacing(folder / name) as part:
            part.write_bytes((TEMPLATES / name).read_bytes())
    write_page(
        folder / "index.html",
        "gallery.html.jinja",
        title=shown(title, LONGEST),
        galaxies=galaxies_data(rows, drawn),
        choices=answer_choices(rows.rows, tree),
        min_votes=FEWEST_VOTES if min_votes is None else min_votes,
        baseline=BASELINE,
        filters={"whole": _whole, "fraction": _fraction, "script": _script},
    )
    own = [drawn[row.galaxy_id] for row in rows.rows]
    return GalleryReport(
        galaxies=len(own),
        without_image=sum(bool(one.missing) for one in own),
        without_maps=sum(one.scale is None for one in own),
    )


def draw_rows(store: Store, rows: Rows, folder: Path) -> dict[int, Drawn]:
    """Draw all galaxies with facts into `folder`, each once; returns the results by galaxy_id.

    Images are shown as the model saw them, counterparts' too; overlays are of the map of the
    answer's predicted fraction, by the newest explain run; a map of which only the first order is
    known says so. If image or map are missing, the page says so.
    """
    predictions = store.run(store.newest_run("predict"))
    explained = explanations_of(store, rows.facts, predictions.run_id)
    plates = list(_plates(store, rows, predictions, explained))
    drawn = {}
    with ImageReader() as reader, progress("images", len(plates)) as bar:
        done = torch_in_order(lambda plate: draw(plate, reader, folder), plates)
        with closing(done) as results:
            for plate, result in zip(plates, results, strict=True):
                drawn[plate.galaxy_id] = result
                bar.advance()
    return drawn


def _plates(
    store: Store, rows: Rows, predictions: Run, explained: Mapping[int, Run]
) -> Iterator[Plate]:
    maps = _maps(store, {row.galaxy_id: row.answer_id for row in rows.rows}, explained)
    for galaxy_id, _, source, member, sha256 in read_galaxies(store, np.array(sorted(rows.facts))):
        run = explained.get(galaxy_id, predictions)
        view = View(**run.config["view"]) if "view" in run.config else View()
        image = None if source is None else (source, member, sha256)
        yield Plate(galaxy_id, image, view, *maps.get(galaxy_id, (None, True, None)))


def _maps(
    store: Store, answers: Mapping[int, int], explained: Mapping[int, Run]
) -> dict[int, tuple[Map, bool, float | None]]:
    """The map (h, w) of each galaxy's answer's fraction, whether it is exact, and its baseline.

    Of the fraction and not the concentration: fractions are compared with votes, and their
    maps point at the cause more often (docs/decisions/trust.md). Where model or image are no
    longer there to make it, it is the first order that stored maps give.
    """
    found: dict[int, tuple[Map, bool, float | None]] = {}
    for run in {run.run_id: run for run in explained.values()}.values():
        wanted = {
            galaxy_id: [answer]
            for galaxy_id, answer in answers.items()
            if galaxy_id in explained and explained[galaxy_id].run_id == run.run_id
        }
        if not wanted:
            continue
        stored = stored_fractions(store, run, wanted)
        try:
            fractions, _ = exact_fractions(store, run, {key: wanted[key] for key, _ in stored})
        except CatalogError:
            fractions = {}
        for key, first in stored.items():
            one = fractions.get(key, first)
            found[key[0]] = one.raised.astype(np.float32), key in fractions, one.baseline
    return found


def _fraction(value: float | str | None) -> str:
    """Two digits after the point; what JSON holds as text is infinite."""
    return "–" if value is None else "∞" if isinstance(value, str) else _rounded(value, "0.01")


def _script(value: Any) -> Markup:
    """A value as compact JSON that cannot end the element that it stands in."""
    return htmlsafe_json_dumps(value, separators=(",", ":"), allow_nan=False)


def _whole(count: float) -> str:
    """A number of votes, of weighted ones the nearest whole one."""
    return _rounded(count, "1")


def _rounded(value: float, step: str) -> str:
    """Rounded as the script's `toFixed` does, where Python would make 0.625 0.62."""
    return str(Decimal(value).quantize(Decimal(step), ROUND_HALF_UP))
