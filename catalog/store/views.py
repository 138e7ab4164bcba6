"""The public SQL interface: views over the tables, with their comments.

Every view stands twice: in `main` it shows the newest complete run, in `history`
all runs by `run_id`. Comments here are the data dictionary: `duckdb_views()`,
`duckdb_columns()` and the README show them, and a test compares the two.
"""

from dataclasses import dataclass


def newest(job: str) -> str:
    """The run that views show: of the complete ones of a job, the last that was asked for."""
    return f"SELECT max_by(run_id, asked_at) FROM run WHERE job = '{job}' AND status = 'complete'"


@dataclass(frozen=True)
class View:
    """A view: its name, what one row is, its columns with unit and range, its SQL.

    `job` names the kind of run whose newest complete one the `main` view shows;
    None where the view is not about runs.
    """

    name: str
    row: str
    columns: dict[str, str]
    sql: str
    job: str | None = None

    def statements(self) -> list[str]:
        """SQL that creates the view in `main` and, with runs, in `history`."""
        if self.job is None:
            return [f"CREATE VIEW {self.name} AS {self.sql}", *self._comments("main")]
        return [
            f"CREATE VIEW history.{self.name} AS {self.sql}",
            f"CREATE VIEW {self.name} AS SELECT * FROM history.{self.name} "
            f"WHERE run_id = ({newest(self.job)})",
            *self._comments("history"),
            *self._comments("main"),
        ]

    def _comments(self, schema: str) -> list[str]:
        def quoted(text: str) -> str:
            return "'" + text.replace("'", "''") + "'"

        return [
            f"COMMENT ON VIEW {schema}.{self.name} IS {quoted('One row per ' + self.row + '.')}",
            *(
                f'COMMENT ON COLUMN {schema}.{self.name}."{column}" IS {quoted(text)}'
                for column, text in self.columns.items()
            ),
        ]


_RUN = {"run_id": "run that made the row"}
_GALAXY = {
    "galaxy_id": "number of the galaxy in this catalogue",
    "iauname": "name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS",
}
_ANSWER = {
    "question": "question of the decision tree",
    "answer": "answer to the question",
    "label": "question and answer, as one name",
}

_ANSWER_COLUMNS = "a.question, a.answer, a.label"
_QUESTIONS = "(SELECT DISTINCT question_id, question FROM answer)"

VIEWS: tuple[View, ...] = (
    View(
        "galaxies",
        "galaxy",
        {
            **_GALAXY,
            "ra": "right ascension, deg, ICRS",
            "dec": "declination, deg, ICRS",
            "image": "file that holds the image; NULL where there is none",
            "image_member": "name in the tar or row in the Parquet file that holds the image",
            "image_format": "encoding of the image: PNG, JPEG or FITS",
            "image_height": "height of the image as stored, pixel",
            "image_width": "width of the image as stored, pixel",
            "image_sha256": "SHA-256 of the encoded image",
            "split": "what the newest training used the galaxy for: train, validation or test; "
            "NULL where it did not use it",
        },
        f"""SELECT g.galaxy_id, g.iauname, g.ra, g.dec, i.source AS image,
    i.member AS image_member, i.format AS image_format, i.height AS image_height,
    i.width AS image_width, i.sha256 AS image_sha256, s.split
FROM galaxy g JOIN run r ON r.run_id = g.run_id AND r.status = 'complete'
LEFT JOIN (
    SELECT i.* FROM image i JOIN run r ON r.run_id = i.run_id AND r.status = 'complete'
    ANTI JOIN (
        SELECT l.galaxy_id, l.run_id FROM image l
        JOIN run r ON r.run_id = l.run_id AND r.status = 'complete'
        WHERE l.run_id > (SELECT min(run_id) FROM image)
    ) later ON later.galaxy_id = i.galaxy_id AND later.run_id > i.run_id
) i ON i.galaxy_id = g.galaxy_id
LEFT JOIN (
    SELECT galaxy_id, split FROM split WHERE run_id = (
        {newest("train")})
) s ON s.galaxy_id = g.galaxy_id""",
    ),
    View(
        "answers",
        "answer of the decision tree",
        {
            "answer_id": "position of the answer among the columns of a model",
            **_ANSWER,
            "asked_after": "labels that lead to the question, comma-separated; empty: always asked",
        },
        "SELECT answer_id, question, answer, label, asked_after FROM answer",
    ),
    View(
        "votes",
        "galaxy and answer",
        {
            **_GALAXY,
            **_ANSWER,
            "count": "volunteers who gave the answer; fractional where votes are weighted",
            "total": "volunteers who were asked the question, answers outside the tree included",
            "fraction": "count / total, 0..1; NULL where total is 0",
        },
        f"""SELECT v.galaxy_id, g.iauname, {_ANSWER_COLUMNS}, v.count, v.total,
    CASE WHEN v.total > 0 THEN v.count / v.total END AS fraction
FROM vote v JOIN run r ON r.run_id = v.run_id AND r.status = 'complete'
JOIN galaxy g ON g.galaxy_id = v.galaxy_id
JOIN answer a ON a.answer_id = v.answer_id
ANTI JOIN superseded s ON s.run_id = v.run_id AND s.galaxy_id = v.galaxy_id
    AND s.question_id = a.question_id""",
    ),
    View(
        "predictions",
        "run, galaxy and answer",
        {
            **_RUN,
            **_GALAXY,
            **_ANSWER,
            "concentration": "Dirichlet concentration, mean over dropout samples, 1..101 (Zoobot)",
            "fraction": "expected vote fraction, 0..1",
            "fraction_sd": "standard deviation of the vote fraction under the posterior, 0..0.5",
            "fraction_lo": "lower end of the central 90 % interval of the vote fraction, 0..1",
            "fraction_hi": "upper end of the central 90 % interval of the vote fraction, 0..1",
            "reach": "predicted probability that a volunteer is asked the question, 0..1",
        },
        f"""SELECT p.run_id, p.galaxy_id, g.iauname, {_ANSWER_COLUMNS}, p.concentration,
    p.fraction, p.fraction_sd, p.fraction_lo, p.fraction_hi, p.reach
FROM prediction p JOIN galaxy g ON g.galaxy_id = p.galaxy_id
JOIN answer a ON a.answer_id = p.answer_id""",
        job="predict",
    ),
    View(
        "losses",
        "run, galaxy and answer",
        {
            **_RUN,
            **_GALAXY,
            **_ANSWER,
            "observed": "vote fraction, 0..1; NULL where nobody was asked, "
            "or the question was asked with answers outside the tree",
            "predicted": "expected vote fraction, 0..1",
            "ce": "cross-entropy of the two, nat, 0 or more, inf where a published fraction "
            "is 0 or 1 and not all votes are; NULL where either is",
            "weight": "factor given to the answer",
            "weighted_ce": "weight times ce, nat",
            "reach_weighted_ce": "reach times ce, nat: what the answer is expected to cost",
            "total_votes": "volunteers who were asked the question",
        },
        f"""SELECT l.run_id, l.galaxy_id, g.iauname, {_ANSWER_COLUMNS}, l.observed,
    l.predicted, l.ce, l.weight, l.weighted_ce, l.reach_weighted_ce, l.total_votes
FROM loss l JOIN galaxy g ON g.galaxy_id = l.galaxy_id
JOIN answer a ON a.answer_id = l.answer_id""",
        job="score",
    ),
    View(
        "worst",
        "galaxy, by the answer that costs it most",
        {
            "rank": "1 for the largest weighted_ce",
            **_GALAXY,
            "label": "answer with the galaxy's largest weighted_ce",
            "ce": "cross-entropy of that answer, nat",
            "weighted_ce": "weight times ce, nat",
            "observed": "vote fraction of that answer, 0..1",
            "predicted": "expected vote fraction of that answer, 0..1",
            "total_votes": "volunteers who were asked the question",
        },
        f"""SELECT row_number() OVER (ORDER BY w.weighted_ce DESC, g.iauname) AS rank,
    w.galaxy_id, g.iauname, a.label, w.ce, w.weighted_ce, w.observed, w.predicted, w.total_votes
FROM galaxy_loss w JOIN galaxy g ON g.galaxy_id = w.galaxy_id
JOIN answer a ON a.answer_id = w.answer_id
WHERE w.run_id = ({newest("score")})""",
    ),
    View(
        "question_losses",
        "run, galaxy and question",
        {
            **_RUN,
            **_GALAXY,
            "question": "question of the decision tree",
            "total_votes": "volunteers who were asked the question",
            "nll": "Dirichlet-multinomial negative log likelihood of the counts, nat; "
            "0 where nobody was asked",
            "mutual_information": "between the votes and the model's weights, nat, 0 or more",
        },
        f"""SELECT l.run_id, l.galaxy_id, g.iauname, q.question, l.total_votes, l.nll,
    p.mutual_information
FROM question_loss l JOIN run r ON r.run_id = l.run_id
JOIN galaxy g ON g.galaxy_id = l.galaxy_id
JOIN {_QUESTIONS} q ON q.question_id = l.question_id
LEFT JOIN question_prediction p ON p.galaxy_id = l.galaxy_id AND p.question_id = l.question_id
    AND p.run_id = CAST(json_extract(r.config, '$.predict_run') AS INTEGER)""",
        job="score",
    ),
    View(
        "saliency",
        "run, galaxy and question",
        {
            **_RUN,
            **_GALAXY,
            "question": "question of the decision tree",
            "answers": "number of maps in the blobs, one an answer in tree order",
            "height": "rows of a map: the explained layer's own resolution",
            "width": "columns of a map",
            "dtype": "NumPy type of the blobs, little-endian",
            "mean": "maps averaged over dropout samples, (answers, height, width) row-major, "
            "in units of concentration; positive pixels increase it",
            "sd": "standard deviation over dropout samples, as mean",
        },
        f"""SELECT s.run_id, s.galaxy_id, g.iauname, q.question, s.answers, s.height, s.width,
    s.dtype, s.mean, s.sd
FROM saliency_map s JOIN galaxy g ON g.galaxy_id = s.galaxy_id
JOIN {_QUESTIONS} q ON q.question_id = s.question_id""",
        job="explain",
    ),
    View(
        "saliency_stats",
        "run, galaxy and answer",
        {
            **_RUN,
            **_GALAXY,
            **_ANSWER,
            "on_target": "share of the positive saliency on the central galaxy's segment, 0..1; "
            "NULL without positive saliency or segment",
            "centroid_offset": "distance of the positive saliency's centroid from the image "
            "centre, in half widths of the image",
            "entropy": "spread of the absolute saliency: 0 one pixel, 1 uniform",
            "peak_x": "column of the largest value in the map, from 0",
            "peak_y": "row of the largest value in the map, from 0",
            "increase": "sum of the positive part of the map, in units of concentration",
            "decrease": "sum of the negative part of the map, 0 or less",
        },
        f"""SELECT s.run_id, s.galaxy_id, g.iauname, {_ANSWER_COLUMNS}, s.on_target,
    s.centroid_offset, s.entropy, s.peak_x, s.peak_y, s.increase, s.decrease
FROM saliency_stat s JOIN galaxy g ON g.galaxy_id = s.galaxy_id
JOIN answer a ON a.answer_id = s.answer_id""",
        job="explain",
    ),
    View(
        "evaluations",
        "run and measured value",
        {
            **_RUN,
            "topic": "calibration, error, accuracy, localisation, sanity, faithfulness, stability "
            "or warning",
            "measure": "what was measured",
            "question": "question it is about; NULL for all",
            "label": "answer it is about; NULL for all",
            "method": "how the explanation or warning was made; NULL where it is about neither",
            "level": "nominal level, share of pixels or stage it was measured at; NULL for none",
            "value": "measured value",
            "lo": "lower end of its 95 % interval, by bootstrap over galaxies",
            "hi": "upper end of its 95 % interval",
            "chance": "value expected without any knowledge; NULL where there is no such value",
            "galaxies": "galaxies that it rests on",
        },
        """SELECT run_id, topic, measure, question, label, method, level, value, lo, hi, chance,
    galaxies
FROM evaluation""",
        job="evaluate",
    ),
    View(
        "rejects",
        "refused input row, value or image",
        {
            "run_id": "run that refused it",
            "source": "file it came from",
            "row": "row in the file, the first data row being 1; NULL where it is no row",
            "key": "identifier, column or image it is about",
            "reason": "why it was refused",
        },
        'SELECT run_id, source, "row", key, reason FROM reject',
    ),
    View(
        "runs",
        "run of a job",
        {
            "run_id": "number of the run, in order of start",
            "job": "what was done, such as ingest, predict or score",
            "status": "complete; or running, which means interrupted when nothing is at work",
            "started_at": "start, UTC",
            "finished_at": "end, UTC; NULL while not complete",
            "config": "configuration and checksums of the inputs, JSON",
            "model_sha256": "SHA-256 of the model's file",
            "code_version": "version of Zoolens",
        },
        """SELECT run_id, job, status, started_at, finished_at, config, model_sha256, code_version
FROM run""",
    ),
)


def statements() -> list[str]:
    """All SQL that creates the public views."""
    return ["CREATE SCHEMA history", *(text for view in VIEWS for text in view.statements())]
