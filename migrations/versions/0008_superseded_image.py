"""Which images stand is recorded when it is decided, as it is for votes."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    """CREATE TABLE superseded_image (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL
)""",
    """INSERT INTO superseded_image
SELECT i.run_id, i.galaxy_id FROM image i JOIN run r ON r.run_id = i.run_id AND r.status = 'complete'
JOIN (
    SELECT i.galaxy_id, max(i.run_id) AS last FROM image i
    JOIN run r ON r.run_id = i.run_id AND r.status = 'complete' GROUP BY i.galaxy_id
) n ON n.galaxy_id = i.galaxy_id
WHERE i.run_id < n.last ORDER BY i.run_id, i.galaxy_id""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
