"""What the manifest of a release says, and its documents after it."""

from collections.abc import Sequence
from typing import Any

from zoolens.catalog.release.contents import Contents
from zoolens.catalog.release.contributions import Contribution
from zoolens.catalog.release.galaxies import ERROR_RATE
from zoolens.catalog.release.holdings import Holdings
from zoolens.catalog.release.provenance import Title
from zoolens.catalog.store.store import code_version


def statement(
    title: Title,
    day: str,
    held: Holdings,
    contents: Contents,
    preset: str,
    formats: Sequence[str],
) -> dict[str, Any]:
    """All but the runs. day: ISO date."""
    full = contents.columns.names == contents.every.names
    return {
        "name": title.name,
        "version": title.version,
        "date": day,
        "zoolens": code_version(),
        "tree": held.tree and held.tree.name,
        "selection": {
            "preset": preset,
            "columns": None if full or preset != "full" else contents.columns.names,
            "where": contents.condition,
            "min_votes": contents.min_votes,
            "counterparts_of_the_worst": contents.counterparts,
        },
        **_unusual(held),
        "own_columns": [own.name for own in held.own if own.name in contents.columns.names],
        "vote_error_rate": ERROR_RATE,
        "formats": [*formats],
    }


def last_day(contributions: Sequence[Contribution]) -> str:
    """The day on which the newest results of all catalogues were finished."""
    finished = []
    for contribution in contributions:
        last = contribution.runs.score or contribution.runs.predict or contribution.runs.estimate
        finished += [one["finished_at"] for one in contribution.records if one["run_id"] == last]
    return str(max(finished)[:10])


def _unusual(held: Holdings) -> dict[str, Any]:
    """What is said of catalogues without losses, or with estimates."""
    said: dict[str, Any] = {}
    if not held.losses:
        lacks = "predictions" if held.votes else "votes and predictions"
        said["without"] = "losses" if held.predictions else lacks
    if held.estimated is not None:
        said["estimates"] = held.estimated
    return said
