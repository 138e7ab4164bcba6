"""What all figures share: how they look, and how they are saved."""

import warnings
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from zoolens.catalog.runtime.files import replacing

DPI = 250
# one hue a sign, apart for every kind of colour vision; white is no effect
_LOWERS = ("#0b3c74", "#2f79b5", "#9ec9e2", "#ffffff")
_RAISES = ("#ffffff", "#f6b48f", "#d6533f", "#7a0c22")
COLOURS = LinearSegmentedColormap.from_list("saliency", [*_LOWERS, *_RAISES[1:]])

# no dates and versions: the same explanation is the same file
_METADATA: dict[str, Any] = {"png": {"Software": None}, "pdf": {"CreationDate": None}}

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 7,
    "pdf.fonttype": 42,  # text stays text
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may hold any character
    "text.usetex": False,
    "axes.linewidth": 0.5,
}


def save(figure: Figure, stem: Path, *, dpi: float | None = None) -> list[Path]:
    """Write a figure as PNG and as PDF with vector text, each whole or not at all.

    dpi: of the PNG, `DPI` unless given. Returns both paths. Raises `CatalogError` if
    they cannot be written.
    """
    written = []
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        for form, metadata in _METADATA.items():
            path = stem.with_name(f"{stem.name}.{form}")
            with replacing(path) as part:
                figure.savefig(
                    part, format=form, dpi=dpi or DPI, metadata=metadata, facecolor="white"
                )
            written.append(path)
    return written


def shown(name: str, most: int) -> str:
    """A name fit for print: no control characters, and not longer than fits."""
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return plain if len(plain) <= most else plain[: most - 1] + "…"
