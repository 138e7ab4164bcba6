"""Whether the pieces of a survey can be one release, and what was done to make them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.release.shares import Share
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.agreement import WORDS, differences, what_shows

_JOBS = ("predict", "estimate", "score", "explain")
_EVERYWHERE = ("predict", "estimate")  # what is lacking in one piece alone is still to be made


def check_agreement(folder: Path, shares: Sequence[Share], names: Sequence[str]) -> None:
    """Raises `CatalogError`, naming pieces, if they do not show the same kind of thing.

    They need one decision tree, predictions and estimates by the same models with the same
    settings, losses with the same weights, maps made in the same way, and own columns that mean
    the same. Losses and maps may be lacking in some, as they are of some galaxies of one catalogue.
    """
    for job in _EVERYWHERE:
        having = [name for name, share in zip(names, shares, strict=True) if _runs(share)[job]]
        without = [name for name in names if name not in having]
        if having and without:
            raise CatalogError(
                f"{few(without)} of {folder} have no {WORDS[job]}, as {having[0]} has; do first: "
                f"zoolens predict --catalog {folder}"
            )
    shown = []
    for name, share in zip(names, shares, strict=True):
        with Store.open(share.path, read_only=True) as store:
            shown.append(what_shows(name, store, _JOBS))
    for said in differences(folder, shown, _JOBS):
        raise CatalogError(f"{said}; a release needs the same of all pieces")
    own: dict[str, tuple[Any, Path]] = {}
    for share in shares:
        for column in share.held.own:
            other, path = own.setdefault(column.name, (column, share.path))
            if other != column:
                raise CatalogError(
                    f"your column {column.name!r} is another in {share.path} than in {path}; keep "
                    "the same in both: zoolens keep"
                )


def _runs(share: Share) -> dict[str, int | None]:
    return {job: getattr(share.runs, job) for job in _JOBS}


def lacking(shares: Sequence[Share], names: Sequence[str]) -> list[str]:
    """What some of the pieces alone do not have, in sentences."""
    said = []
    for job in _JOBS:
        without = [name for name, s in zip(names, shares, strict=True) if _runs(s)[job] is None]
        if 0 < len(without) < len(shares):
            count = f"{len(without):,} of {len(shares):,}"
            said.append(f"{count} pieces have no {WORDS[job]}: {few(without)}")
    return said


def records_of_all(shares: Sequence[Share], names: Sequence[str]) -> list[dict[str, Any]]:
    """The runs of all pieces, oldest first: those that say the same are one.

    It began with the first and finished with the last of them, on the votes of any; `pieces`
    names theirs, unless all pieces have it.
    """
    alike: dict[str, list[dict[str, Any]]] = {}
    where: dict[str, list[str]] = {}
    for share, name in zip(shares, names, strict=True):
        for record in share.records:
            key = _identity(record)
            alike.setdefault(key, []).append(record)
            where.setdefault(key, []).append(name)
    records = []
    for key in sorted(alike, key=lambda key: alike[key][0]["run_id"]):
        some = {} if len(where[key]) == len(shares) else {"pieces": where[key]}
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
