"""What a notebook shows: tables, pictures and sentences as HTML, all escaped, without script.

A front end shows what an object's `_repr_html_` returns. So a value that a stranger chose, the name
of a galaxy say, is text here whatever it holds.
"""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zoolens.catalog.output.answer import cell, plain

ROWS = 30  # as many as are shown: as many as a screen holds
WIDEST = 1600  # pixels of a figure, twice what a page is wide: a screen may have two for one
_QUALITY = 88  # of 100
_CELL = (
    "padding:.15em .6em;text-align:{};white-space:nowrap;"
    "max-width:26em;overflow:hidden;text-overflow:ellipsis"
)
_QUIET = "opacity:.7;font-weight:normal"


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    units: Mapping[str, str] | None = None,
    of: int | None = None,
) -> str:
    """Rows as a table, values as in a terminal (`output.answer.cell`), the first `ROWS` of them.

    units: by column, written below its name. of: how many rows there are, where not all are given.
    Text that is an address of the web is a link.
    """
    units = units or {}
    shown = list(islice(rows, ROWS))
    total = len(shown) if of is None else of
    sides = [
        "right" if any(_is_number(row[place]) for row in shown) else "left"
        for place in range(len(columns))
    ]
    head = "".join(
        f'<th style="{_CELL.format(side)}">{_text(name)}{_unit(units.get(name))}</th>'
        for name, side in zip(columns, sides, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL.format(side)}">{_value(value, name)}</td>'
            for value, name, side in zip(row, columns, sides, strict=True)
        )
        + "</tr>"
        for row in shown
    )
    more = f"{total - len(shown):,} more rows of {total:,}" if total > len(shown) else ""
    return (
        '<div tabindex="0" style="overflow-x:auto"><table><thead>'  # scrolled by keys, too
        f'<tr style="vertical-align:bottom">{head}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>" + (sentence(f"… {more}") if more else "")
    )


def sentence(text: str, *, strong: str = "") -> str:
    """A line of text, after a few words that stand out."""
    begin = f"<strong>{_text(strong)}</strong> " if strong else ""
    return f'<div style="margin:.3em 0">{begin}{_text(text)}</div>'


def beside(*parts: str) -> str:
    """Parts side by side, or below each other where a page is narrow."""
    inner = "".join(f"<div>{part}</div>" for part in parts)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">{inner}</div>'


def picture(pixels: npt.NDArray[np.uint8], words: str, *, width: int) -> str:
    """An image (H, W, 3) as wide as so many pixels of the page; words: what it shows."""
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    return _image(held.getvalue(), words, f"width:{width}px;image-rendering:auto")


def figure(file: Path, words: str) -> str:
    """A figure from its file, of at most `WIDEST` pixels, so that a notebook of many stays small.

    WebP, which has a tenth of the bytes that PNG takes for pictures of galaxies.
    """
    from PIL import Image

    with Image.open(file) as image:
        height = round(image.height * WIDEST / image.width)
        size = (WIDEST, height) if image.width > WIDEST else image.size
        held = io.BytesIO()
        image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(
            held, "WEBP", quality=_QUALITY
        )
    return _image(held.getvalue(), words, "max-width:100%", form="webp")


def fractions(
    observed: float | None, predicted: float | None, lo: float | None, hi: float | None
) -> str:
    """Fractions in 0..1 drawn on one line: volunteers as a bar, the network as a point on lo..hi.

    Colours that every kind of colour vision tells apart; what they are of says the table's head.
    """
    drawn = [_mark(0, 1, "#8884", 2, 9)]
    if observed is not None:
        drawn.append(_mark(0, observed, "#9ec9e2", 12, 4))
    if predicted is not None:
        if lo is not None and hi is not None:
            drawn.append(_mark(lo, hi, "#d6533f", 2, 9))
        drawn.append(_mark(predicted - 0.015, predicted + 0.015, "#7a0c22", 14, 3))
    inner = "".join(drawn)
    return f'<div style="position:relative;width:120px;height:20px">{inner}</div>'


def _mark(begin: float, end: float, colour: str, height: int, top: int) -> str:
    left = 100 * min(max(begin, 0.0), 1.0)
    width = max(100 * min(max(end, 0.0), 1.0) - left, 0.5)
    return (
        f'<div style="position:absolute;left:{left:.1f}%;width:{width:.1f}%;top:{top}px;'
        f'height:{height}px;background:{colour}"></div>'
    )


class Markup(str):
    """HTML of this module, which a table takes as it is."""

    __slots__ = ()


def _value(value: Any, column: str) -> str:
    if isinstance(value, Markup):
        return value
    text = cell(_python(value), column)
    shown = escape(text)
    if isinstance(value, str) and value.startswith(("https://", "http://")):
        return f'<a href="{shown}" rel="noopener noreferrer">{shown}</a>'
    return shown


def _python(value: Any) -> Any:
    """A value of NumPy or pandas as Python's own; what is missing as None."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and value != value else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal | np.number) and not isinstance(value, bool)


def _unit(unit: str | None) -> str:
    return f'<br><span style="{_QUIET}">{_text(unit)}</span>' if unit else ""


def _text(text: str) -> str:
    return escape(plain(str(text)))


def _image(data: bytes, words: str, style: str, form: str = "png") -> str:
    source = base64.b64encode(data).decode()
    return f'<img style="{style}" alt="{_text(words)}" src="data:image/{form};base64,{source}">'
