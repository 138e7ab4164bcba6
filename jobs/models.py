"""`models`: the models that come with Zoolens, and what is known of each."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from zoolens.catalog.network.bundled import (
    Bundled,
    arguments_of,
    bundled_model,
    bundled_models,
)
from zoolens.catalog.runtime.files import sha256_of


def models(name: str | None = None) -> pa.Table:
    """The bundled models, in the order of preference, or the one of a name; a row each.

    Encoder, questions, answers and view are what the file says, size (MB) and SHA-256 what it
    has, the rest of `models/models.toml`. Loads no torch. Raises `ModelRefused` for an unknown
    name, or a file that is damaged.
    """
    wanted = bundled_models() if name is None else [bundled_model(name)]
    return pa.Table.from_pylist([_row(model) for model in wanted])


def _row(model: Bundled) -> dict[str, Any]:
    arguments = arguments_of(model)
    pairs: Mapping[str, list[str]] = arguments["question_answer_pairs"]
    return {
        "name": model.name,
        "tree": model.tree,
        "questions": len(pairs),
        "answers": sum(map(len, pairs.values())),
        "galaxies": model.galaxies,
        "survey": model.survey,
        "encoder": arguments["architecture_name"],
        "view": _in_words(arguments["view"]),
        "MB": round(model.path.stat().st_size / 1e6, 1),
        "about": model.about,
        "limits": model.limits,
        "credit": model.credit,
        "licence": model.licence,
        "sha256": sha256_of(model.path),
        "card": str(model.card),
        "file": str(model.path),
    }


def _in_words(view: Mapping[str, Any]) -> str:
    """What the model is shown: `minimal 160`, pixels a side, and what else the view sets."""
    others = [
        key.replace("_", " ") if value is True else f"{key.replace('_', ' ')} {value}"
        for key, value in view.items()
        if key not in ("name", "size") and value not in (False, None)
    ]
    return ", ".join([f"{view['name']} {view['size']}", *others])
