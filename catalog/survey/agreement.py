"""Whether the pieces of a survey can be one release, and what was done to make them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoolens.catalog.errors import CatalogError, few
from zoolens.catalog.release.shares import Share

# Of a run's settings, what follows from the piece: numbers of its other runs, and paths.
_OF_A_PIECE = ("origin", "predict_run", "estimate_run", "votes")
_MADE = {"predict": "predictions", "estimate": "estimates", "score": "losses", "explain": "maps"}
_EVERYWHERE = ("predict", "estimate")  # what is lacking in one piece alone is still to be made


def check_agreement(shares: Sequence[Share]) -> None:
    """Raises `CatalogError`, naming two, if catalogues do not show the same kind of thing.

    They need one decision tree, predictions and estimates by the same models with the same
    settings, losses with the same weights, maps made in the same way, and own columns that mean
    the same. Losses and maps may be lacking in some, as they are of some galaxies of one catalogue.
    """
    first = shares[0]
    for share in shares[1:]:
        if share.held.tree != first.held.tree:
            names = [tree and tree.name for tree in (share.held.tree, first.held.tree)]
            raise CatalogError(
                f"{share.path} is of decision tree {names[0]}, {first.path} of {names[1]}; a "
                "release needs one"
            )
    for job, made in _MADE.items():
        _check_runs(shares, job, made)
    own: dict[str, tuple[Any, Path]] = {}
    for share in shares:
        for column in share.held.own:
            other, path = own.setdefault(column.name, (column, share.path))
            if other != column:
                raise CatalogError(
                    f"your column {column.name!r} is another in {share.path} than in {path}; keep "
                    "the same in both: zoolens keep"
                )


def _check_runs(shares: Sequence[Share], job: str, made: str) -> None:
    having = [share for share in shares if getattr(share.runs, job) is not None]
    lacking = [share for share in shares if getattr(share.runs, job) is None]
    if having and lacking and job in _EVERYWHERE:
        raise CatalogError(
            f"{lacking[0].path} has no {made}, as {having[0].path} has; do first: zoolens predict "
            f"--catalog {lacking[0].path}"
        )
    for share in having[1:]:
        first, here = _record(having[0], job), _record(share, job)
        if first["model_sha256"] != here["model_sha256"]:
            raise CatalogError(
                f"{share.path} shows {made} by another model than {having[0].path}; use one for "
                "all pieces"
            )
        settings = [_settings(record["config"]) for record in (first, here)]
        differ = [
            name
            for name in sorted({*settings[0], *settings[1]})
            if settings[0].get(name) != settings[1].get(name)
        ]
        if differ:
            raise CatalogError(
                f"{share.path} shows {made} with other settings than {having[0].path} "
                f"({', '.join(differ)}); use the same for all pieces"
            )


def _record(share: Share, job: str) -> dict[str, Any]:
    (record,) = [one for one in share.records if one["run_id"] == getattr(share.runs, job)]
    return record


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Those that all pieces should share; tables may be each piece's own."""
    return {
        name: value
        for name, value in config.items()
        if name not in _OF_A_PIECE and not name.endswith("_sha256")
    }


def lacking(shares: Sequence[Share], names: Sequence[str]) -> list[str]:
    """What some of the pieces alone do not have, in sentences."""
    said = []
    for job, made in _MADE.items():
        without = [n for n, s in zip(names, shares, strict=True) if getattr(s.runs, job) is None]
        if 0 < len(without) < len(shares):
            said.append(
                f"{len(without):,} of {len(shares):,} pieces have no {made}: {few(without)}"
            )
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
