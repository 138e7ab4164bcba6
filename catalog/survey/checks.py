"""Whether the pieces of a survey lie together as they should, for `verify`."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from zoolens.catalog.arrays import Flags, Floats
from zoolens.catalog.store.galaxies import positions
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.together import open_together
from zoolens.catalog.survey.agreement import Comparison
from zoolens.catalog.survey.cutting import pixels
from zoolens.catalog.survey.folder import FINEST, Piece, open_survey


def survey_checks(folder: Path, read: Comparison, unread: Sequence[str]) -> list[dict[str, Any]]:
    """What was looked for in a survey, as rows: check, offending, result, and the pieces.

    read: those pieces that could be read; unread: the others. A survey whose positions
    cannot be compared with their pixels, for want of `hats`, has a warning.
    """
    survey = open_survey(folder)
    unlisted = sorted(
        str(path.relative_to(folder))
        for path in folder.glob("Norder=*/*.duckdb")
        if path not in survey.paths
    )
    trees = {one.tree for one in read.pieces if one.tree is not None}
    rows = [
        _row("survey: pieces that are missing or cannot be read", len(unread), "ERROR", unread),
        _row(
            "survey: catalogues that survey.json does not list", len(unlisted), "warning", unlisted
        ),
        _row("survey: pieces of several trees", max(0, len(trees) - 1), "ERROR"),
    ]
    if len(trees) < 2:
        unlike = read.differences
        rows.append(_row("survey: pieces that may not be compared", len(unlike), "warning", unlike))
    named = {one.name: survey.named[one.name] for one in read.pieces}
    with open_together(named) as together:
        for column, what in (("iauname", "name"), ("galaxy_id", "number")):
            twice = together.galaxies_twice(column)
            rows.append(_row(f"survey: galaxies of one {what} in several pieces", twice, "ERROR"))
        outside = {}
        if find_spec("hats") is not None:
            pieces = {piece.name: piece for piece in survey.pieces}
            outside = {name: _outside(store, pieces[name]) for name, store in together.stores()}
        else:
            rows.append(_row("survey: positions are not checked without hats", 1, "warning"))
    off = [name for name, count in outside.items() if count]
    rows.append(_row("survey: galaxies outside their piece", sum(outside.values()), "ERROR", off))
    return rows


def _row(check: str, offending: int, result: str, pieces: Sequence[str] = ()) -> dict[str, Any]:
    found = "ok" if offending == 0 else result
    return {"check": check, "offending": offending, "result": found, "pieces": [*pieces]}


def _outside(store: Store, piece: Piece) -> int:
    """How many galaxies with a position are not in the pixel of their piece."""
    return sum(
        int(np.count_nonzero(~within(piece, *_degrees(batch)))) for batch in positions(store)
    )


def _degrees(batch: pa.RecordBatch) -> tuple[Floats, Floats]:
    ra, dec = (batch.column(i).to_numpy(zero_copy_only=False) for i in (0, 1))
    return ra, dec


def within(piece: Piece, ra: Floats, dec: Floats) -> Flags:
    """Which positions (N,), deg, ICRS, are in the pixel of a piece."""
    on_sky = (np.abs(dec) <= 90) & np.isfinite(ra)
    pixel = pixels(np.where(on_sky, ra, 0.0) % 360, np.where(on_sky, dec, 0.0))
    inside: Flags = pixel >> 2 * (FINEST - piece.order) == piece.pixel
    return on_sky & inside
