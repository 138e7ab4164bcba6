"""The public SQL interface: views over the tables, with their comments.

Every view exists twice: in `main` it shows one run (`catalog.store.shown`), in `history` all
runs by `run_id`. If the views of a catalogue differ from these, they are created again when it is
opened (`catalog.store.schema`); migrations are about tables alone.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from zoolens.catalog.decision_tree import CAMPAIGNS
from zoolens.catalog.store.dictionary import COLUMNS, MAP_STATISTICS, Column
from zoolens.catalog.store.latest import REJECTS
from zoolens.catalog.store.own_columns import OwnColumn, own_sql, quoted
from zoolens.catalog.store.shown import newest, shown, valid


@dataclass(frozen=True)
class PublicView:
    """A view: its name, what one row is, its SQL.

    `job`: the view in `main` shows a run of this job; None if the view is not about one
    job's runs. `more`: columns that only this catalogue has.
    """

    name: str
    row: str
    sql: str
    job: str | None = None
    more: tuple[Column, ...] = ()

    @property
    def columns(self) -> dict[str, Column]:
        """Its columns by name, in order."""
        return COLUMNS[self.name] | {column.name: column for column in self.more}

    def statements(self) -> list[str]:
        """SQL that makes the view in `main` and, with runs, in `history`."""
        if self.job is None:
            return [f"CREATE VIEW {self.name} AS {self.sql}", *self.comments("main")]
        return [
            f"CREATE VIEW history.{self.name} AS {self.sql}",
            f"CREATE VIEW {self.name} AS {self.shown_sql}",
            *self.comments("history"),
            *self.comments("main"),
        ]

    @property
    def shown_sql(self) -> str:
        """The query of the view in `main`."""
        if self.job is None:
            return self.sql
        every = f"history.{self.name}"
        source = valid(every) if "galaxy_id" in self.columns else every
        return f"SELECT * FROM {source} WHERE run_id = ({shown(self.job)})"

    def comments(self, schema: str) -> list[str]:
        """SQL that describes the view, and its columns, in a schema."""
        return [
            f"COMMENT ON VIEW {schema}.{self.name} IS {_text('One row per ' + self.row + '.')}",
            *(comment_on_column(schema, self.name, said) for said in self.columns.values()),
        ]


def comment_on_column(schema: str, view: str, column: Column) -> str:
    """SQL that describes a column of a view."""
    return f"COMMENT ON COLUMN {schema}.{view}.{quoted(column.name)} IS {_text(column.comment)}"


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


_ANSWER_COLUMNS = "a.question, a.answer, a.label"
_QUESTIONS = "(SELECT DISTINCT question_id, question FROM answer)"
# All answers of a question have its reach.
_FIRST_ANSWERS = (
    "(SELECT question_id, question, min(answer_id) AS answer_id FROM answer "
    "GROUP BY question_id, question)"
)


def _listed(table: str) -> str:
    """The statistics of one map."""
    return ", ".join(f"{table}.{name}" for name in MAP_STATISTICS)


def own_view(columns: Sequence[OwnColumn]) -> PublicView:
    """The view of the user's own columns."""
    row = "galaxy with values of columns of your own"
    return PublicView("own", row, own_sql(columns), more=tuple(c.said for c in columns))


_MEASURED = ("w.ce", "w.weighted_ce", "w.observed", "w.predicted", "w.total_votes")
_WORST = f"""{", ".join(["w.galaxy_id", "g.iauname", "a.label", *_MEASURED])}
FROM {valid("galaxy_loss")} w JOIN galaxy g ON g.galaxy_id = w.galaxy_id
JOIN answer a ON a.answer_id = w.answer_id
WHERE w.run_id = ({shown("score")})"""
# The rows of the view `worst` without their rank, which is among those of all pieces of a survey.
UNRANKED = f"SELECT {_WORST}"

VIEWS: tuple[PublicView, ...] = (
    PublicView(
        "galaxies",
        "galaxy",
        f"""SELECT g.galaxy_id, g.iauname, g.ra, g.dec, i.source AS image,
    i.member AS image_member, i.format AS image_format, i.height AS image_height,
    i.width AS image_width, i.sha256 AS image_sha256, s.split
FROM galaxy g JOIN run r ON r.run_id = g.run_id AND r.status = 'complete'
LEFT JOIN (
    SELECT i.* FROM image i JOIN run r ON r.run_id = i.run_id AND r.status = 'complete'
    ANTI JOIN superseded_image s ON s.run_id = i.run_id AND s.galaxy_id = i.galaxy_id
) i ON i.galaxy_id = g.galaxy_id
LEFT JOIN (
    SELECT galaxy_id, split FROM split WHERE run_id = (
        {newest("train")})
) s ON s.galaxy_id = g.galaxy_id""",
    ),
    PublicView(
        "answers",
        "answer of the decision tree",
        f"""SELECT answer_id, question, answer, label, asked_after,
    nullif(regexp_extract(question, '-({"|".join(CAMPAIGNS)})$', 1), '') AS campaign,
    regexp_replace(question, '-({"|".join(CAMPAIGNS)})$', '') || '_' || answer AS shared_label
FROM answer""",
    ),
    PublicView(
        "votes",
        "galaxy and answer",
        f"""SELECT v.galaxy_id, g.iauname, {_ANSWER_COLUMNS}, v.count, v.total,
    CASE WHEN v.total > 0 AND v.other_answers IS NOT TRUE THEN v.count / v.total END AS fraction
FROM vote v JOIN run r ON r.run_id = v.run_id AND r.status = 'complete'
JOIN galaxy g ON g.galaxy_id = v.galaxy_id
JOIN answer a ON a.answer_id = v.answer_id
ANTI JOIN superseded s ON s.run_id = v.run_id AND s.galaxy_id = v.galaxy_id
    AND s.question_id = a.question_id""",
    ),
    PublicView(
        "predictions",
        "run, galaxy and answer",
        f"""SELECT p.run_id, p.galaxy_id, g.iauname, {_ANSWER_COLUMNS}, p.concentration,
    p.fraction, p.fraction_sd, p.fraction_lo, p.fraction_hi, p.reach, p.fraction_model_sd
FROM prediction p JOIN galaxy g ON g.galaxy_id = p.galaxy_id
JOIN answer a ON a.answer_id = p.answer_id""",
        job="predict",
    ),
    PublicView(
        "question_predictions",
        "run, galaxy and question",
        f"""SELECT m.run_id, m.galaxy_id, g.iauname, q.question, p.reach, m.mutual_information
FROM question_prediction m JOIN galaxy g ON g.galaxy_id = m.galaxy_id
JOIN {_FIRST_ANSWERS} q ON q.question_id = m.question_id
LEFT JOIN prediction p ON p.run_id = m.run_id AND p.galaxy_id = m.galaxy_id
    AND p.answer_id = q.answer_id""",
        job="predict",
    ),
    PublicView(
        "losses",
        "run, galaxy and answer",
        f"""SELECT l.run_id, l.galaxy_id, g.iauname, {_ANSWER_COLUMNS}, l.observed,
    l.predicted, l.ce, l.weight, l.weighted_ce, l.reach_weighted_ce, l.total_votes
FROM loss l JOIN galaxy g ON g.galaxy_id = l.galaxy_id
JOIN answer a ON a.answer_id = l.answer_id""",
        job="score",
    ),
    PublicView(
        "worst",
        "galaxy, by the answer that costs it most",
        f"""SELECT row_number() OVER (ORDER BY w.weighted_ce DESC, g.iauname) AS rank,
    {_WORST}""",
    ),
    PublicView(
        "question_losses",
        "run, galaxy and question",
        f"""SELECT l.run_id, l.galaxy_id, g.iauname, q.question, l.total_votes, l.nll,
    p.mutual_information
FROM question_loss l JOIN run r ON r.run_id = l.run_id
JOIN galaxy g ON g.galaxy_id = l.galaxy_id
JOIN {_QUESTIONS} q ON q.question_id = l.question_id
LEFT JOIN question_prediction p ON p.galaxy_id = l.galaxy_id AND p.question_id = l.question_id
    AND p.run_id = CAST(json_extract(r.config, '$.predict_run') AS INTEGER)""",
        job="score",
    ),
    PublicView(
        "saliency",
        "run, galaxy and question",
        f"""SELECT s.run_id, s.galaxy_id, g.iauname, q.question, s.answers, s.height, s.width,
    s.dtype, s.mean, s.sd
FROM saliency_map s JOIN galaxy g ON g.galaxy_id = s.galaxy_id
JOIN {_QUESTIONS} q ON q.question_id = s.question_id""",
        job="explain",
    ),
    PublicView(
        "saliency_stats",
        "run, galaxy, answer, and what the map is of",
        f"""SELECT s.run_id, s.galaxy_id, g.iauname, {_ANSWER_COLUMNS}, s.of, {_listed("s")},
    s.predicted, s.baseline
FROM saliency_stat s JOIN galaxy g ON g.galaxy_id = s.galaxy_id
JOIN answer a ON a.answer_id = s.answer_id""",
        job="explain",
    ),
    own_view(()),
    PublicView(
        "estimates",
        "run, galaxy, and class of a classifier or value of a regressor",
        """SELECT e.run_id, e.galaxy_id, g.iauname, e.name, e.value, e.value_sd,
    e.value_lo, e.value_hi
FROM estimate e JOIN galaxy g ON g.galaxy_id = e.galaxy_id""",
        job="estimate",
    ),
    PublicView(
        "estimate_maps",
        "run, galaxy, and class of a classifier or value of a regressor",
        f"""SELECT m.run_id, m.galaxy_id, g.iauname, m.name, m.height, m.width, m.dtype, m.mean,
    m.sd, {_listed("m")}
FROM estimate_map m JOIN galaxy g ON g.galaxy_id = m.galaxy_id""",
        job="estimate_maps",
    ),
    PublicView(
        "evaluations",
        "run and measured value",
        """SELECT run_id, topic, measure, question, label, method, level, value, lo, hi, chance,
    galaxies
FROM evaluation""",
        job="evaluate",
    ),
    PublicView(
        "rejects",
        "input row, value or image that was refused or remarked on",
        REJECTS,
    ),
    PublicView(
        "runs",
        "run of a job",
        """SELECT run_id, job, status, started_at, finished_at, config, model_sha256, code_version
FROM run""",
    ),
)


def statements(own: Sequence[OwnColumn] = ()) -> list[str]:
    """All SQL that makes the public views where there are none; own: the user's columns."""
    views = [own_view(own) if view.name == "own" else view for view in VIEWS]
    return [text for view in views for text in view.statements()]


@cache
def views_sha256() -> str:
    """SHA-256 of the SQL of all views, without the user's columns.

    If it changes, they are created again. The view `own` is so too when its columns change.
    """
    return hashlib.sha256("\n".join(statements()).encode()).hexdigest()
