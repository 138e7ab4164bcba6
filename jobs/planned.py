"""Whether what a command asks for is what was planned."""

from collections.abc import Mapping
from typing import Any

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.images.view import View
from zoolens.catalog.network.bundled import BUNDLED, name_of
from zoolens.catalog.network.model import path_of
from zoolens.catalog.parts.computing import OtherVersion
from zoolens.catalog.parts.plan import Plan
from zoolens.catalog.parts.recipe import COMMANDS
from zoolens.catalog.store.store import code_version

# Options of a command that a job of it does not have: what it then does.
_WITHOUT: Mapping[str, Mapping[str, Any]] = {
    "predict": {"names": None},
    "estimate": {"orientations": 1},
    "estimate_maps": {"method": "hirescam", "layer": None},
}


def check_same(found: Plan, command: str, asked: Mapping[str, Any]) -> None:
    """Raises `CatalogError` if a plan is of another command, Zoolens or settings than asked for.

    asked: settings that were named, by option.
    """
    folder = found.folder
    if found.code != code_version():
        raise OtherVersion(
            f"{folder} was planned by Zoolens {found.code}, and this is {code_version()}; install "
            "that one, or plan anew in another folder"
        )
    planned_for = COMMANDS.get(found.job, found.job[:40])
    if planned_for != command:
        raise CatalogError(
            f"{folder} is planned for {planned_for}, not {command}; choose another folder"
        )
    planned = _options(found.job, found.settings)
    for name, value in asked.items():
        if name not in planned or (name == "engine" and value == "auto"):
            continue
        if name == "model":
            value = _sources(value, planned["model"])
        if planned[name] != value:
            option = f"--{name.replace('_', '-')}"
            had = f"with {option} {_said(planned[name])}, not {_said(value)}"
            raise CatalogError(
                f"{folder} is planned {f'without {option}' if planned[name] is None else had}; "
                "leave that out, or plan anew in another folder"
            )


def _options(job: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a recipe by the names of options, those that have an effect."""
    models = settings.get("models") or [settings["model"]]
    view = View.from_config(models[0]["view"])
    without = {"models", "tree", "batch_size", *([] if settings["samples"] else ["seed"])}
    return {
        **_WITHOUT.get(job, {}),
        **{name: value for name, value in settings.items() if name not in without},
        "model": [model["source"] for model in models],
        "view": view.name,
        "size": view.size,
        "zoom": view.zoom,
        **({} if view.greyscale else {"grey_as_colour": view.grey_as_colour}),
    }


def _sources(named: list[str], planned: list[str]) -> list[str]:
    if named == [BUNDLED] and len(planned) == 1 and name_of(planned[0]):
        return planned
    return [source if source == BUNDLED else path_of(source) for source in named]


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
