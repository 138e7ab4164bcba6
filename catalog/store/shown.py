"""Which run of a job shows, and which of its rows: SQL that views and readers share.

What shows belongs together. Losses, maps and measured values are only shown beside the
predictions that they were made from; and a row that was made from an image or from votes that an
ingest has replaced since (table `outdated`, see `catalog.store.outdated`) is not shown at all.
What a classifier or regressor estimates is another job than predictions of votes, so that neither
hides the other.
"""

# Volunteers without whom a ranking is mostly of chance: the fraction of n is uncertain by up to
# 0.5 / sqrt(n), 0.16 of ten, and where one or two err comes before all others.
FEWEST_VOTES = 10

_OF_JOB = "SELECT max_by(run_id, asked_at) FROM run WHERE job = '{job}' AND status = 'complete'"
_PREDICTIONS = _OF_JOB.format(job="predict")
# The prediction run that a run was made from, by job, as its configuration names it.
MADE_FROM = {
    "score": "json_extract(config, '$.predict_run')",
    "evaluate": "json_extract(config, '$.predictions.run')",
    "explain": "json_extract(config, '$.predict_run')",
    "estimate_maps": "json_extract(config, '$.estimate_run')",
}
_ESTIMATES = _OF_JOB.format(job="estimate")
# A model explained beside predictions from a table was made from none of them.
_OF_A_TABLE = f"""(json_type(config, '$.predict_run') = 'NULL' AND (
    SELECT model_sha256 IS NULL FROM run WHERE run_id = ({_PREDICTIONS})))"""


def newest(job: str) -> str:
    """SQL for the complete run of a job that was asked for last, whatever it was made from."""
    return _OF_JOB.format(job=job)


def shown(job: str) -> str:
    """SQL for the run that views show of a job.

    The complete one that was asked for last; of a job that starts from predictions, among the
    runs that were made from the predictions that are shown.
    """
    return f"{newest(job)} AND {of_shown(job)}" if job in MADE_FROM else newest(job)


def of_shown(job: str) -> str:
    """SQL for whether a row of `run`, of a job that starts from predictions, is of those shown."""
    also = f" OR {_OF_A_TABLE}" if job == "explain" else ""
    of = _ESTIMATES if job == "estimate_maps" else _PREDICTIONS
    return f"(CAST({MADE_FROM[job]} AS INTEGER) = ({of}){also})"


def valid(table: str) -> str:
    """SQL for the rows of a table that are not outdated: to be read from in its place."""
    return (
        f"(SELECT t.* FROM {table} t ANTI JOIN outdated o "
        "ON o.run_id = t.run_id AND o.galaxy_id = t.galaxy_id)"
    )
