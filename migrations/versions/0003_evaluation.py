"""What evaluations measured: their table and the view `evaluations`."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """CREATE TABLE evaluation (
    run_id INTEGER NOT NULL,
    topic VARCHAR NOT NULL,
    measure VARCHAR NOT NULL,
    value DOUBLE,
    galaxies BIGINT NOT NULL,
    lo DOUBLE,
    hi DOUBLE,
    question VARCHAR,
    label VARCHAR,
    method VARCHAR,
    level DOUBLE,
    chance DOUBLE
)""",
    """CREATE VIEW history.evaluations AS SELECT run_id, topic, measure, question, label, method, level, value, lo, hi, chance,
    galaxies
FROM evaluation""",
    "CREATE VIEW evaluations AS SELECT * FROM history.evaluations WHERE run_id = (SELECT max(run_id) FROM run WHERE job = 'evaluate' AND status = 'complete')",
    "COMMENT ON VIEW history.evaluations IS 'One row per run and measured value.'",
    """COMMENT ON COLUMN history.evaluations."run_id" IS 'run that made the row'""",
    """COMMENT ON COLUMN history.evaluations."topic" IS 'calibration, error, accuracy, localisation, sanity, faithfulness, stability or warning'""",
    """COMMENT ON COLUMN history.evaluations."measure" IS 'what was measured'""",
    """COMMENT ON COLUMN history.evaluations."question" IS 'question it is about; NULL for all'""",
    """COMMENT ON COLUMN history.evaluations."label" IS 'answer it is about; NULL for all'""",
    """COMMENT ON COLUMN history.evaluations."method" IS 'how the explanation or warning was made; NULL where it is about neither'""",
    """COMMENT ON COLUMN history.evaluations."level" IS 'nominal level, share of pixels or stage it was measured at; NULL for none'""",
    """COMMENT ON COLUMN history.evaluations."value" IS 'measured value'""",
    """COMMENT ON COLUMN history.evaluations."lo" IS 'lower end of its 95 % interval, by bootstrap over galaxies'""",
    """COMMENT ON COLUMN history.evaluations."hi" IS 'upper end of its 95 % interval'""",
    """COMMENT ON COLUMN history.evaluations."chance" IS 'value expected without any knowledge; NULL where there is no such value'""",
    """COMMENT ON COLUMN history.evaluations."galaxies" IS 'galaxies that it rests on'""",
    "COMMENT ON VIEW main.evaluations IS 'One row per run and measured value.'",
    """COMMENT ON COLUMN main.evaluations."run_id" IS 'run that made the row'""",
    """COMMENT ON COLUMN main.evaluations."topic" IS 'calibration, error, accuracy, localisation, sanity, faithfulness, stability or warning'""",
    """COMMENT ON COLUMN main.evaluations."measure" IS 'what was measured'""",
    """COMMENT ON COLUMN main.evaluations."question" IS 'question it is about; NULL for all'""",
    """COMMENT ON COLUMN main.evaluations."label" IS 'answer it is about; NULL for all'""",
    """COMMENT ON COLUMN main.evaluations."method" IS 'how the explanation or warning was made; NULL where it is about neither'""",
    """COMMENT ON COLUMN main.evaluations."level" IS 'nominal level, share of pixels or stage it was measured at; NULL for none'""",
    """COMMENT ON COLUMN main.evaluations."value" IS 'measured value'""",
    """COMMENT ON COLUMN main.evaluations."lo" IS 'lower end of its 95 % interval, by bootstrap over galaxies'""",
    """COMMENT ON COLUMN main.evaluations."hi" IS 'upper end of its 95 % interval'""",
    """COMMENT ON COLUMN main.evaluations."chance" IS 'value expected without any knowledge; NULL where there is no such value'""",
    """COMMENT ON COLUMN main.evaluations."galaxies" IS 'galaxies that it rests on'""",
    """COMMENT ON COLUMN main.runs."job" IS 'ingest, predict, score, index, explain, train or evaluate'""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
