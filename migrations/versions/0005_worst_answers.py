"""Of each galaxy its worst answer, so that the ranking need not look at every loss."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """CREATE TABLE galaxy_loss (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    answer_id INTEGER NOT NULL,
    observed DOUBLE,
    predicted DOUBLE,
    ce DOUBLE,
    weighted_ce DOUBLE NOT NULL,
    total_votes DOUBLE NOT NULL
)""",
    """INSERT INTO galaxy_loss BY NAME SELECT run_id, galaxy_id, unnest(max_by(
    {answer_id: answer_id, observed: observed, predicted: predicted, ce: ce,
        weighted_ce: weighted_ce, total_votes: total_votes},
    (weighted_ce, -answer_id)))
FROM loss WHERE weighted_ce IS NOT NULL GROUP BY run_id, galaxy_id ORDER BY run_id, galaxy_id""",
    # the ledger counts all rows of a run
    """INSERT INTO shard SELECT run_id, 'migration 0005', count(*), now()::TIMESTAMP
FROM galaxy_loss GROUP BY run_id""",
    "DROP VIEW worst",
    """CREATE VIEW worst AS SELECT row_number() OVER (ORDER BY w.weighted_ce DESC, g.iauname) AS rank,
    w.galaxy_id, g.iauname, a.label, w.ce, w.weighted_ce, w.observed, w.predicted, w.total_votes
FROM galaxy_loss w JOIN galaxy g ON g.galaxy_id = w.galaxy_id
JOIN answer a ON a.answer_id = w.answer_id
WHERE w.run_id = (SELECT max(run_id) FROM run WHERE job = 'score' AND status = 'complete')""",
    "COMMENT ON VIEW main.worst IS 'One row per galaxy, by the answer that costs it most.'",
    """COMMENT ON COLUMN main.worst."rank" IS '1 for the largest weighted_ce'""",
    """COMMENT ON COLUMN main.worst."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.worst."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    """COMMENT ON COLUMN main.worst."label" IS 'answer with the galaxy''s largest weighted_ce'""",
    """COMMENT ON COLUMN main.worst."ce" IS 'cross-entropy of that answer, nat'""",
    """COMMENT ON COLUMN main.worst."weighted_ce" IS 'weight times ce, nat'""",
    """COMMENT ON COLUMN main.worst."observed" IS 'vote fraction of that answer, 0..1'""",
    """COMMENT ON COLUMN main.worst."predicted" IS 'expected vote fraction of that answer, 0..1'""",
    """COMMENT ON COLUMN main.worst."total_votes" IS 'volunteers who were asked the question'""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
