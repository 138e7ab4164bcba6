"""Statistics of maps of fractions too, and of where every map lies."""

from alembic import op

revision = "0014"
down_revision = "0013"

_SHARES = (
    "on_galaxy",
    "on_neighbours",
    "on_sky",
    "increase_on_galaxy",
    "increase_on_neighbours",
    "increase_on_sky",
    "decrease_on_galaxy",
    "decrease_on_neighbours",
    "decrease_on_sky",
)

STATEMENTS = (
    *(
        f"ALTER TABLE {table} ADD COLUMN {share} FLOAT"
        for table in ("saliency_stat", "estimate_map")
        for share in _SHARES
    ),
    # the maps that there are, of which the new columns are not known
    "ALTER TABLE saliency_stat ADD COLUMN of VARCHAR DEFAULT 'concentration'",
    "ALTER TABLE saliency_stat ALTER COLUMN of DROP DEFAULT",
    "ALTER TABLE saliency_stat ALTER COLUMN of SET NOT NULL",
    "ALTER TABLE saliency_stat ADD COLUMN predicted DOUBLE",
    "ALTER TABLE saliency_stat ADD COLUMN baseline DOUBLE",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
