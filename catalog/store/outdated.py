"""What later votes, images and predictions have made untrue: marked, told, made again.

An ingest marks the rows of every run that were made from an image or from votes which it
replaces (table `outdated`); readers leave such rows out (`catalog.store.shown`), and the job that
made them makes them again when it is next asked to. Rows made from an image are marked with its
checksum: if that image comes back, they are true again.
"""

from collections.abc import Collection
from dataclasses import dataclass

from zoolens.catalog.errors import Outdated, tell
from zoolens.catalog.store.matrices import predictions_state, votes_state
from zoolens.catalog.store.shown import MADE_FROM, newest
from zoolens.catalog.store.store import Run, Store, utc_now

# What a run of each job has made of a galaxy.
MADE = {
    "predict": ("prediction", "posterior", "question_prediction"),
    "score": ("loss", "galaxy_loss", "question_loss"),
    "explain": ("saliency_map", "saliency_stat"),
    "comparison": ("saliency_map", "saliency_stat"),
    "estimate": ("estimate",),
    "estimate_maps": ("estimate_map",),
}

_OF_VOTES = """INSERT INTO outdated
SELECT l.run_id, l.galaxy_id, NULL FROM loss l
SEMI JOIN (SELECT galaxy_id FROM vote WHERE run_id = ?) v ON v.galaxy_id = l.galaxy_id
ANTI JOIN (FROM outdated WHERE image_sha256 IS NULL) o
    ON o.run_id = l.run_id AND o.galaxy_id = l.galaxy_id
WHERE l.answer_id = 0"""
# Galaxies that get another image by the ingest $1, with the checksums of the two.
_REPLACED = """CREATE TEMP TABLE replaced AS
SELECT n.galaxy_id, i.sha256 AS before, n.sha256 AS now
FROM (FROM image WHERE run_id = $1) n JOIN image i ON i.galaxy_id = n.galaxy_id
JOIN run r ON r.run_id = i.run_id AND r.status = 'complete' AND r.run_id <> $1
ANTI JOIN superseded_image s ON s.run_id = i.run_id AND s.galaxy_id = i.galaxy_id
WHERE i.sha256 <> n.sha256"""
# Rows that are outdated for want of another image already are so by the image they were made from.
_OF_IMAGES = """INSERT INTO outdated
SELECT m.run_id, m.galaxy_id, c.before
FROM ({made}) m JOIN replaced c ON c.galaxy_id = m.galaxy_id
ANTI JOIN (FROM outdated WHERE image_sha256 IS NOT NULL) o
    ON o.run_id = m.run_id AND o.galaxy_id = m.galaxy_id"""
_SEEN = "json_type(r.config, '$.view') = 'OBJECT'"  # predictions from images, not from a table
_MADE_FROM_IMAGES = f"""SELECT p.run_id, p.galaxy_id FROM prediction p
JOIN run r ON r.run_id = p.run_id AND {_SEEN} WHERE p.answer_id = 0
UNION ALL SELECT l.run_id, l.galaxy_id FROM loss l JOIN run s ON s.run_id = l.run_id
JOIN run r ON r.run_id = CAST(json_extract(s.config, '$.predict_run') AS INTEGER) AND {_SEEN}
WHERE l.answer_id = 0
UNION ALL SELECT DISTINCT run_id, galaxy_id FROM saliency_map
UNION ALL SELECT DISTINCT run_id, galaxy_id FROM estimate
UNION ALL SELECT DISTINCT run_id, galaxy_id FROM estimate_map"""
_TRUE_AGAIN = """DELETE FROM outdated USING replaced c
WHERE c.galaxy_id = outdated.galaxy_id AND c.now = outdated.image_sha256"""
# Losses of predictions that are made again stay outdated, whichever image comes back.
_OF_MADE_AGAIN = """image_sha256 IS NOT NULL
AND galaxy_id IN (SELECT galaxy_id FROM outdated WHERE run_id = $1)
AND run_id IN (SELECT run_id FROM run WHERE job = 'score'
    AND CAST(json_extract(config, '$.predict_run') AS INTEGER) = $1)"""
_MADE_AGAIN = (
    f"""INSERT INTO outdated SELECT run_id, galaxy_id, NULL FROM outdated w WHERE {_OF_MADE_AGAIN}
AND NOT EXISTS (FROM outdated o WHERE o.run_id = w.run_id AND o.galaxy_id = w.galaxy_id
    AND o.image_sha256 IS NULL)""",
    f"DELETE FROM outdated WHERE {_OF_MADE_AGAIN}",
)


def mark_outdated(store: Store, ingest: Run) -> None:
    """Mark what an ingest makes untrue; before its votes and images replace others."""
    store.execute(_OF_VOTES, [ingest.run_id])
    store.execute(_REPLACED, [ingest.run_id])
    store.execute(_OF_IMAGES.format(made=_MADE_FROM_IMAGES))
    store.execute(_TRUE_AGAIN)
    store.execute("DROP TABLE replaced")


def clear_outdated(store: Store, run: Run) -> int:
    """Delete the outdated rows of a run, which its job is about to make again.

    Returns of how many galaxies. The ledger has a row for it, of as many rows less.
    """
    galaxies = _outdated_of(store, run.run_id)
    if not galaxies:
        return 0
    some = "run_id = $1 AND galaxy_id IN (SELECT galaxy_id FROM outdated WHERE run_id = $1)"
    with store.transaction():
        rows = 0
        for table in MADE[run.job]:
            rows += store.value(f"SELECT count(*) FROM {table} WHERE {some}", [run.run_id])
            store.execute(f"DELETE FROM {table} WHERE {some}", [run.run_id])
        store.execute(
            "INSERT INTO shard SELECT $1, 'outdated ' || count(*), $2, $3 FROM shard "
            "WHERE run_id = $1",
            [run.run_id, -rows, utc_now()],
        )
        for statement in _MADE_AGAIN:
            store.execute(statement, [run.run_id])
        store.execute("DELETE FROM outdated WHERE run_id = $1", [run.run_id])
    return galaxies


@dataclass(frozen=True)
class Stale:
    """A step of which not all is true of the present votes, images and predictions.

    job: that brings it up to date; said: why, and what to do, in one sentence; galaxies: how
    many are left out, 0 where it is about none in particular.
    """

    job: str
    said: str
    galaxies: int = 0


_SEEN_BY = {"predict": "predictions", "estimate": "estimates"}
_WORDS = {"score": "losses", "explain": "saliency maps", "evaluate": "measured values"}
_DO = {"score": "zoolens score", "explain": "zoolens explain --all", "evaluate": "zoolens evaluate"}


def stale_steps(store: Store, jobs: Collection[str] = (*_SEEN_BY, *_WORDS)) -> list[Stale]:
    """The steps that are outdated, of those of some jobs, in the order of work."""
    found = [_from_images(store, job) for job in _SEEN_BY if job in jobs]
    found += [_of_predictions(store, job) for job in _WORDS if job in jobs]
    return [stale for stale in found if stale is not None]


def warn_of(store: Store, *jobs: str) -> None:
    """Warn (`Outdated`) of each of these steps that is outdated: its results are being read."""
    for stale in stale_steps(store, jobs):
        tell(stale.said, Outdated)


def _from_images(store: Store, job: str) -> Stale | None:
    """Of a step that starts from images alone."""
    run = store.shown_run(job)
    galaxies = 0 if run is None else _outdated_of(store, run.run_id)
    if run is None or not galaxies:
        return None
    return Stale(
        job,
        f"the images of {_counted(galaxies)} were replaced after run {run.run_id} predicted from "
        f"them, and these {_SEEN_BY[job]} are left out; do: zoolens predict",
        galaxies,
    )


def _of_predictions(store: Store, job: str) -> Stale | None:
    """Of a step that starts from predictions: made from others, or before newer votes."""
    words, run = _WORDS[job], store.shown_run(job)
    if run is None:
        last = store.value(newest(job))
        return None if last is None else Stale(job, _of_others(store, job, int(last)))
    galaxies = _outdated_of(store, run.run_id)
    if job == "explain":
        said = "were replaced after run {run} explained them, and these maps are left out"
        said = f"the images of {_counted(galaxies)} {said}" if galaxies else ""
    elif list(run.config.get("votes", ())) != votes_state(store):
        out = f"; those of {_counted(galaxies)} with other votes are left out"
        said = f"votes have come after the {words} of run {{run}}" + (out if galaxies else "")
    elif job == "score":
        said = "of run {run} are of predictions from images that were replaced, and are left out"
        said = f"the losses of {_counted(galaxies)} {said}" if galaxies else ""
    else:
        seen = run.config["predictions"]
        newer = predictions_state(store, seen["run"]) != seen
        said = f"predictions have come after the {words} of run {{run}}" if newer else ""
    if not said:
        return None
    return Stale(job, f"{said.format(run=run.run_id)}; do: {_DO[job]}", galaxies)


def _of_others(store: Store, job: str, last: int) -> str:
    """Why no run of a job shows."""
    made_from = store.value(f"SELECT {MADE_FROM[job]} FROM run WHERE run_id = ?", [last])
    of = "a model that did not predict"
    if made_from not in (None, "null"):
        of = f"the predictions of run {made_from}"
    predictions = store.shown_run("predict")
    if predictions is None:
        return (
            f"the {_WORDS[job]} of run {last} are of {of}, which do not show; do: zoolens predict"
        )
    return (
        f"the {_WORDS[job]} of run {last} are of {of}, not of those of run "
        f"{predictions.run_id}, which show; do: {_DO[job]}"
    )


def _counted(galaxies: int) -> str:
    return "1 galaxy" if galaxies == 1 else f"{galaxies:,} galaxies"


def _outdated_of(store: Store, run_id: int) -> int:
    """Of how many galaxies the rows of a run are outdated."""
    sql = "SELECT count(DISTINCT galaxy_id) FROM outdated WHERE run_id = ?"
    return int(store.value(sql, [run_id]))
