"""What the page is told of the catalogue before it draws: `/page/about.json`."""

import json
from datetime import datetime
from typing import Any

from zoolens.catalog.serve.adql.reserved import written
from zoolens.catalog.serve.opening import Looked
from zoolens.catalog.serve.settings import Settings
from zoolens.catalog.store.overview import Overview
from zoolens.catalog.store.published import Published

# What a view is to be asked for where nothing else is said, best first.
_FIRST = ("worst", "estimates", "losses", "predictions", "galaxies")


def about(name: str, looked: Looked, as_of: datetime, settings: Settings) -> bytes:
    """The description of a catalogue as JSON.

    name: what the catalogue, or the folder of the survey, is called where it lies.
    """
    held = looked.held
    views = [_view(table, held) for table in looked.tables if table.schema == "zoolens"]
    said: dict[str, Any] = {
        "catalogue": name,
        "as_of": f"{as_of:%Y-%m-%d %H:%M} UTC",
        "version": as_of.isoformat(),
        "token": settings.token is not None,
        "most_rows": settings.most_rows,
        "galaxies": held.galaxies,
        "positions": held.positions,
        "images": held.images,
        "products": looked.products,
        "questions": _questions(held),
        "views": views,
        "first": next(view for view in _FIRST if view in held.filled or view == "galaxies"),
        "runs": [
            {"job": one.job, "method": one.method, "run": one.run, "ended": one.ended}
            for one in held.runs
        ],
        "methods": [one.method for one in held.runs if one.job == "explain" and one.method],
        "index": any(one.job == "index" for one in held.runs),
        "maps": "saliency_stats" in held.filled,
        "told": looked.told,
    }
    return json.dumps(said, ensure_ascii=False).encode()


def _view(table: Published, held: Overview) -> dict[str, Any]:
    """A view: its name, what a row is, whether it has any, and its columns as a query has them."""
    columns = [
        {
            "name": column.name,
            "written": written(column.name),
            "type": column.type,
            "unit": column.unit,
            "ucd": column.ucd,
            "description": column.description,
        }
        for column in table.columns
        if column.type != "BLOB"
    ]
    return {
        "name": table.name,
        "row": table.description.removeprefix("One row per ").removesuffix("."),
        "filled": table.name in held.filled,
        "columns": columns,
    }


def _questions(held: Overview) -> list[dict[str, Any]]:
    """The questions of the tree, each with its answers and the labels that lead to it."""
    found: dict[str, dict[str, Any]] = {}
    for question, answer, label, after in held.tree:
        one = found.setdefault(question, {"name": question, "after": list(after), "answers": []})
        one["answers"].append({"name": answer, "label": label})
    return list(found.values())
