"""Whether there is anything for a job to work on, in a catalogue that shows no run of it."""

from zoolens.catalog.store.database import Database
from zoolens.catalog.store.shown import shown

_BEGUN = "SELECT 1 FROM run WHERE job = ? AND status = 'running' LIMIT 1"
_IMAGED = "SELECT 1 FROM galaxies WHERE image IS NOT NULL LIMIT 1"
_VOTED = "SELECT 1 FROM galaxies SEMI JOIN votes USING (galaxy_id) WHERE image IS NOT NULL LIMIT 1"
_COMPARED = "SELECT galaxy_id FROM predictions INTERSECT SELECT galaxy_id FROM votes LIMIT 1"
_OF_VOTES = ("score", "evaluate")


def waits_for(store: Database, job: str) -> bool:
    """Whether galaxies wait for a job that has no run that shows, or one was begun.

    For a loss they need votes, and predictions or an image that these can be made from; for
    whatever else an image.
    """

    def any_of(sql: str, *given: str) -> bool:
        return store.value(sql, given) is not None

    if any_of(_BEGUN, job):
        return True
    if job not in _OF_VOTES:
        return any_of(_IMAGED)
    if any_of(shown("predict")):
        return any_of(_COMPARED)
    return any_of(_BEGUN, "predict") or any_of(_VOTED)
