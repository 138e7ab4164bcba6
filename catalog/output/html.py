"""HTML pages: one file each, that stand beside the figures they show."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pyarrow as pa
from PIL import Image

from zoolens.catalog.output.answer import cell
from zoolens.catalog.runtime.files import replacing

TEMPLATES = Path(__file__).parent / "templates"
_INTERVAL = re.compile(r"\[([^][, ]+), ([^][, ]+)\]")


@dataclass(frozen=True)
class Shown:
    """A figure of a page: its image file, what it says, and what it shows in words."""

    file: Path
    caption: str
    alternative: str


@dataclass(frozen=True)
class Section:
    """A part of a report: words, then tables with captions, figures, and links."""

    title: str
    words: Sequence[str] = ()
    tables: Sequence[tuple[str, pa.Table]] = ()
    figures: Sequence[Shown] = ()
    links: Sequence[tuple[str, Path]] = ()


def write_page(file: Path, template: str, **values: Any) -> None:
    """Write what `rendered` gives to a file, complete or not at all.

    Raises `CatalogError` if the file cannot be written.
    """
    text = rendered(template, **values)
    with replacing(file) as part:
        part.write_text(text, encoding="utf-8")


def rendered(template: str, **values: Any) -> str:
    """A template of `output/templates` with values, escaped, since a galaxy may have any name."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "beside": _beside,
        "rows": _rows,
        "width": _width,
        **values.pop("filters", {}),
    }
    return environment.get_template(template).render(**values)


def write_report(page: Path, title: str, lead: str, sections: Sequence[Section], foot: str) -> None:
    """A report of several sections, linked to from its head."""
    write_page(
        page,
        "report.html.jinja",
        page=page,
        title=title,
        lead=lead,
        sections=sections,
        foot=foot,
    )


def _beside(file: Path, page: Path) -> str:
    """The address of a file relative to the page, so that both can be moved together."""
    return quote(Path(os.path.relpath(file, page.parent)).as_posix())


def _width(file: Path) -> str:
    """How wide to show a figure, in CSS: a quarter larger than in print."""
    with Image.open(file) as image:
        return f"{1.25 * image.width / image.info.get('dpi', (96, 96))[0]:.2f}in"


def _rows(table: pa.Table) -> list[list[str]]:
    return [[_short(value) for value in row.values()] for row in table.to_pylist()]


def _short(value: Any) -> str:
    if isinstance(value, float) and abs(value) < 1e3:
        return f"{value:.3f}"
    text = cell(value)
    return _INTERVAL.sub("[\\1,\u00a0\\2]", text)  # a line may end before it, and not within
