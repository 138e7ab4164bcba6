"""Whether what the pieces of a survey show was made alike, so that it can be one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError

MADE = {"predict": "predictions", "estimate": "estimates", "score": "losses", "explain": "maps"}
# Of a run's settings, what follows from the piece: numbers of its other runs, and paths.
_OF_A_PIECE = ("origin", "predict_run", "estimate_run", "votes")

# The catalogue of a piece, and the checksum of the model and the settings of its run of a job.
Shown = tuple[Path, str | None, Mapping[str, Any]]


def check_trees(trees: Sequence[tuple[Path, DecisionTree | None]]) -> None:
    """Raises `CatalogError`, naming two pieces, if they are not of one decision tree."""
    first, tree = trees[0]
    for path, other in trees:
        if other != tree:
            names = [None if one is None else one.name for one in (other, tree)]
            raise CatalogError(f"{path} is of decision tree {names[0]}, {first} of {names[1]}")


def check_alike(job: str, shown: Sequence[Shown]) -> None:
    """Raises `CatalogError`, naming two pieces, if runs of a job differ in model or settings.

    Tables may be each piece's own.
    """
    for path, model, config in shown[1:]:
        first, first_model, first_config = shown[0]
        if model != first_model:
            raise CatalogError(
                f"{path} shows {MADE[job]} by another model than {first}; use one for all pieces"
            )
        one, other = _settings(config), _settings(first_config)
        differ = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
        if differ:
            raise CatalogError(
                f"{path} shows {MADE[job]} with other settings than {first} "
                f"({', '.join(differ)}); use the same for all pieces"
            )


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in config.items()
        if name not in _OF_A_PIECE and not name.endswith("_sha256")
    }
