"""Whether the pieces of a survey can be one release, and what was done to make them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.release.contributions import Contribution
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import ALIKE, Comparison, without

_EVERYWHERE = ("predict", "estimate")  # what is lacking in one piece alone is still to be made


def check_agreement(
    folder: Path, contributions: Sequence[Contribution], names: Sequence[str]
) -> None:
    """Raises `CatalogError`, naming pieces, if they do not show the same kind of thing.

    They need one decision tree, predictions and estimates by the same models with the same
    settings, losses with the same weights, maps made in the same way, and own columns that mean
    the same. Losses and maps may be lacking in some, as they are of some galaxies of one catalogue.
    """
    named = dict(zip(names, contributions, strict=True))
    for job in _EVERYWHERE:
        if said := without({name: _runs(one)[job] is not None for name, one in named.items()}, job):
            raise CatalogError(f"{folder} is {said}; do first: zoolens predict --catalog {folder}")
    compared = Comparison(folder, ALIKE)
    for name, contribution in named.items():
        with Store.open(contribution.path, read_only=True) as store:
            compared.note(name, store)
    for said in compared.differences:
        raise CatalogError(f"{said}; a release needs the same of all pieces")
    own: dict[str, tuple[Any, Path]] = {}
    for contribution in contributions:
        for column in contribution.held.own:
            other, path = own.setdefault(column.name, (column, contribution.path))
            if other != column:
                raise CatalogError(
                    f"your column {column.name!r} is another in {contribution.path} than in "
                    f"{path}; keep the same in both: zoolens keep"
                )


def _runs(contribution: Contribution) -> dict[str, int | None]:
    return {job: getattr(contribution.runs, job) for job in ALIKE}


def lacking(contributions: Sequence[Contribution], names: Sequence[str]) -> list[str]:
    """What some of the pieces alone do not have, in sentences."""
    named = [*zip(names, contributions, strict=True)]
    said = [
        without({name: _runs(one)[job] is not None for name, one in named}, job) for job in ALIKE
    ]
    return [one for one in said if one is not None]


def records_of_all(
    contributions: Sequence[Contribution], names: Sequence[str]
) -> list[dict[str, Any]]:
    """The runs of all pieces, oldest first: those that say the same are one.

    It began with the first and finished with the last of them, on the votes of any; `pieces`
    names theirs, unless all pieces have it.
    """
    alike: dict[str, list[dict[str, Any]]] = {}
    where: dict[str, list[str]] = {}
    for contribution, name in zip(contributions, names, strict=True):
        for record in contribution.records:
            key = _identity(record)
            alike.setdefault(key, []).append(record)
            where.setdefault(key, []).append(name)
    records = []
    for key in sorted(alike, key=lambda key: alike[key][0]["run_id"]):
        some = {} if len(where[key]) == len(contributions) else {"pieces": where[key]}
        records.append({**_merged(alike[key]), **some})
    return records


def _identity(record: Mapping[str, Any]) -> str:
    """What the same runs of several pieces have in common."""
    config = {name: value for name, value in record["config"].items() if name != "votes"}
    same = {name: value for name, value in record.items() if not name.endswith("_at")}
    return json.dumps({**same, "config": config}, sort_keys=True)


def _merged(alike: Sequence[dict[str, Any]]) -> dict[str, Any]:
    began = min(record["started_at"] for record in alike)
    ended = max(record["finished_at"] for record in alike)
    config = dict(alike[0]["config"])
    if "votes" in config:
        config["votes"] = sorted({run for record in alike for run in record["config"]["votes"]})
    return {**alike[0], "started_at": began, "finished_at": ended, "config": config}
