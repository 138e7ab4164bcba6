"""Which rows were made from votes or images that an ingest has replaced since."""

from alembic import op

revision = "0010"
down_revision = "0009"

# The rows of earlier catalogues are marked without an image: which one they were made from is
# not recorded, so they are made again even if it comes back.
STATEMENTS = (
    """CREATE TABLE outdated (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    image_sha256 VARCHAR
)""",
    """INSERT INTO outdated
SELECT DISTINCT l.run_id, l.galaxy_id, NULL FROM loss l
JOIN run s ON s.run_id = l.run_id AND json_type(s.config, '$.votes') = 'ARRAY'
JOIN vote v ON v.galaxy_id = l.galaxy_id AND v.answer_id = l.answer_id
JOIN run r ON r.run_id = v.run_id AND r.status = 'complete'
    AND NOT list_contains(CAST(json_extract(s.config, '$.votes') AS INTEGER[]), v.run_id)
ORDER BY l.run_id, l.galaxy_id""",
    """CREATE TEMP TABLE replaced AS
SELECT i.galaxy_id, max(r.finished_at) AS at FROM superseded_image s
JOIN image b ON b.run_id = s.run_id AND b.galaxy_id = s.galaxy_id
JOIN image i ON i.galaxy_id = s.galaxy_id AND i.run_id > s.run_id AND i.sha256 <> b.sha256
JOIN run r ON r.run_id = i.run_id AND r.status = 'complete' GROUP BY i.galaxy_id""",
    """INSERT INTO outdated
SELECT m.run_id, m.galaxy_id, NULL FROM (
    SELECT p.run_id, p.galaxy_id, r.started_at FROM prediction p
    JOIN run r ON r.run_id = p.run_id AND json_type(r.config, '$.view') = 'OBJECT'
    WHERE p.answer_id = 0
    UNION ALL
    SELECT l.run_id, l.galaxy_id, r.started_at FROM loss l JOIN run s ON s.run_id = l.run_id
    JOIN run r ON r.run_id = CAST(json_extract(s.config, '$.predict_run') AS INTEGER)
        AND json_type(r.config, '$.view') = 'OBJECT' WHERE l.answer_id = 0
    UNION ALL
    SELECT DISTINCT m.run_id, m.galaxy_id, r.started_at FROM saliency_map m
    JOIN run r ON r.run_id = m.run_id
) m JOIN replaced c ON c.galaxy_id = m.galaxy_id AND m.started_at < c.at
ANTI JOIN outdated o ON o.run_id = m.run_id AND o.galaxy_id = m.galaxy_id
ORDER BY m.run_id, m.galaxy_id""",
    "DROP TABLE replaced",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
