"""Which rejects still hold: SQL for the view `rejects`.

The ledger keeps all that was ever refused. A table that was corrected and ingested again, a model
in the place of another: what the earlier run refused is history, and counts no more.
"""

from zoolens.catalog.store.kinds import IS_REFUSED


def _read(run: str, *files: str) -> str:
    """The file or folder that a run read, of the first of these kinds that it names."""
    return "coalesce({})".format(
        ", ".join(f"json_extract_string({run}.config, '$.origin.{one}')" for one in files)
    )


def _columns(run: str) -> str:
    """The columns that a run kept, as text; empty of an ingest, which reads all that it knows."""
    return f"coalesce(CAST(json_extract({run}.config, '$.columns') AS VARCHAR), '')"


_TABLES = ("votes", "galaxies", "table")
# Runs, by whether rejects are of images or of a table, whose rejects hold no more. Ingests and own
# columns are of files, which a later run may have read again; other jobs are of the catalogue.
_READ_AGAIN = f"""SELECT r.run_id, p.of_images FROM run r, (VALUES (false), (true)) p(of_images)
WHERE EXISTS (SELECT 1 FROM run l WHERE l.job = r.job AND l.status = 'complete'
    AND l.asked_at > r.asked_at AND CASE
        WHEN r.job NOT IN ('ingest', 'keep') THEN true
        WHEN p.of_images THEN {_read("l", "images")} = {_read("r", "images")}
        ELSE {_read("l", *_TABLES)} = {_read("r", *_TABLES)}
            AND {_columns("l")} = {_columns("r")} END)"""
# Images that a table names itself are read with it.
_OF_IMAGES = f"""{_read("r", "images")} IS NOT NULL
    AND coalesce(parse_filename(j.source) <> parse_filename({_read("r", *_TABLES)}), true)"""

REJECTS = f"""SELECT j.run_id, j.source, j."row", j.key, j.kind, {IS_REFUSED} AS refused, j.reason,
    a.run_id IS NULL AS latest
FROM reject j JOIN run r ON r.run_id = j.run_id
LEFT JOIN ({_READ_AGAIN}) a ON a.run_id = j.run_id AND a.of_images = ({_OF_IMAGES})"""
