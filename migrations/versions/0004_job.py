"""A comment that need not change with every new job."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        """COMMENT ON COLUMN main.runs."job" IS 'what was done, such as ingest, predict or score'"""
    )
