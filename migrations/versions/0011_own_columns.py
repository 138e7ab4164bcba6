"""Columns of the user's own: what they are, and a row of their values for each galaxy."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    """CREATE TABLE own_column (
    run_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    type VARCHAR NOT NULL,
    place INTEGER NOT NULL,
    unit VARCHAR NOT NULL,
    ucd VARCHAR NOT NULL,
    description VARCHAR NOT NULL
)""",
    """CREATE TABLE own_row (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    numbers DOUBLE[] NOT NULL,
    integers BIGINT[] NOT NULL,
    texts VARCHAR[] NOT NULL
)""",
    """CREATE TABLE superseded_own (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL
)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
