"""Rejects are told apart by kind, and questions that were asked with other answers are marked."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    "ALTER TABLE reject ADD COLUMN kind VARCHAR",
    """UPDATE reject SET kind = coalesce((SELECT any_value(k) FROM (VALUES
    ('missing identifier'),
    ('unusable identifier'),
    ('duplicated identifier'),
    ('unknown galaxy'),
    ('ragged row'),
    ('position out of range'),
    ('missing count'),
    ('unreadable count'),
    ('negative count'),
    ('fill value'),
    ('absurd count'),
    ('fractional count'),
    ('count above its total'),
    ('no predictions'),
    ('missing concentration'),
    ('unreadable concentration'),
    ('concentration outside'),
    ('too many samples'),
    ('uneven samples'),
    ('unreadable fraction'),
    ('fraction outside'),
    ('missing column'),
    ('unknown column'),
    ('not an image'),
    ('unreadable folder'),
    ('unreadable file'),
    ('unreadable tar'),
    ('unsafe member'),
    ('image without votes'),
    ('second image'),
    ('missing image'),
    ('changed image'),
    ('too large an image'),
    ('truncated image'),
    ('unreadable image'),
    ('wrong mode'),
    ('wrong shape'),
    ('bad pixels'),
    ('unusable image'),
    ('no finite map'),
    ('votes without image'),
    ('contradictory total'),
    ('contradictory fraction'),
    ('contradictory position'),
    ('answers outside the tree')
) kinds(k) WHERE starts_with(reason, k)), 'other')""",
    "ALTER TABLE vote ADD COLUMN other_answers BOOLEAN",
    """UPDATE vote SET other_answers = true FROM (
    SELECT v.run_id, v.galaxy_id, a.question_id FROM vote v JOIN answer a USING (answer_id)
    GROUP BY v.run_id, v.galaxy_id, a.question_id HAVING max(v.total) - sum(v.count) > 0.01
) o JOIN answer a ON a.question_id = o.question_id
WHERE vote.run_id = o.run_id AND vote.galaxy_id = o.galaxy_id AND vote.answer_id = a.answer_id""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
