"""What classifiers and regressors predict, and their saliency maps."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    """CREATE TABLE estimate (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    value DOUBLE NOT NULL,
    value_sd DOUBLE,
    value_lo DOUBLE,
    value_hi DOUBLE
)""",
    """CREATE TABLE estimate_map (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    height INTEGER NOT NULL,
    width INTEGER NOT NULL,
    dtype VARCHAR NOT NULL,
    mean BLOB NOT NULL,
    sd BLOB NOT NULL,
    on_target FLOAT,
    centroid_offset FLOAT,
    entropy FLOAT,
    peak_x INTEGER NOT NULL,
    peak_y INTEGER NOT NULL,
    increase DOUBLE NOT NULL,
    decrease DOUBLE NOT NULL
)""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
