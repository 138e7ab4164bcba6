"""Whether there is anything for a job to work on, in a catalogue that shows no run of it."""

from zoolens.catalog.store.database import Database
from zoolens.catalog.store.kinds import IS_REFUSED
from zoolens.catalog.store.shown import shown

# Of images all of which it refused, a begun run remains begun: nothing waits for it.
_REFUSED = f"""(SELECT DISTINCT j.key, j.source FROM reject j JOIN run r USING (run_id)
    WHERE r.job IN ($1, 'predict') AND r.status = 'running' AND {IS_REFUSED})"""
_IMAGED = f"""SELECT 1 FROM galaxies g ANTI JOIN {_REFUSED} j
ON j.key = g.iauname AND j.source = g.image WHERE g.image IS NOT NULL"""
_BEGUN = f"""SELECT 1 FROM run WHERE job = $1 AND status = 'running'
AND (EXISTS ({_IMAGED}) OR NOT EXISTS (SELECT 1 FROM galaxies WHERE image IS NOT NULL)) LIMIT 1"""
_VOTED = f"""{_IMAGED} AND g.galaxy_id IN (SELECT galaxy_id FROM votes) LIMIT 1"""
_COMPARED = "SELECT galaxy_id FROM predictions INTERSECT SELECT galaxy_id FROM votes LIMIT 1"
_OF_VOTES = ("score", "evaluate")


def waits_for(store: Database, job: str) -> bool:
    """Whether galaxies wait for a job that has no run that shows, or one was begun.

    For a loss they need votes, and predictions or an image that these can be made from; for
    whatever else an image. One that a begun run refused waits no more.
    """

    def any_of(sql: str, *given: str) -> bool:
        return store.value(sql, given) is not None

    if any_of(_BEGUN, job):
        return True
    if job not in _OF_VOTES:
        return any_of(f"{_IMAGED} LIMIT 1", job)
    if any_of(shown("predict")):
        return any_of(_COMPARED)
    return any_of(_BEGUN, "predict") or any_of(_VOTED, "predict")
