"""Figures of explanations, for a notebook."""

from dataclasses import dataclass
from pathlib import Path

from zoolens.catalog.output.notebook import figure


@dataclass(frozen=True)
class Explained:
    """Explanations as a notebook shows them. figures: PNG files; page: what collects them."""

    figures: tuple[Path, ...]
    page: Path | None

    def __repr__(self) -> str:
        return f"Explained({', '.join(str(file) for file in self.figures)})"

    def _repr_html_(self) -> str:
        return "\n".join(figure(file, file.stem) for file in self.figures)
