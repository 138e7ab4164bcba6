"""How far the models of an ensemble differ in what they predict."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = ("ALTER TABLE prediction ADD COLUMN fraction_model_sd FLOAT",)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
