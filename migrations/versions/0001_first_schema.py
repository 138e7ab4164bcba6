"""The first schema: tables, public views and their comments."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """CREATE TABLE answer (
    answer_id INTEGER NOT NULL,
    question_id INTEGER NOT NULL,
    question VARCHAR NOT NULL,
    answer VARCHAR NOT NULL,
    label VARCHAR NOT NULL,
    asked_after VARCHAR NOT NULL
)""",
    """CREATE TABLE galaxy (
    galaxy_id BIGINT NOT NULL,
    iauname VARCHAR NOT NULL,
    ra DOUBLE PRECISION,
    dec DOUBLE PRECISION,
    run_id INTEGER NOT NULL
)""",
    """CREATE TABLE image (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    source VARCHAR NOT NULL,
    member VARCHAR,
    format VARCHAR NOT NULL,
    height INTEGER NOT NULL,
    width INTEGER NOT NULL,
    sha256 VARCHAR NOT NULL
)""",
    """CREATE TABLE loss (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    answer_id INTEGER NOT NULL,
    observed DOUBLE PRECISION,
    predicted DOUBLE PRECISION,
    ce DOUBLE PRECISION,
    weight DOUBLE PRECISION NOT NULL,
    weighted_ce DOUBLE PRECISION,
    reach_weighted_ce DOUBLE PRECISION,
    total_votes DOUBLE PRECISION NOT NULL
)""",
    """CREATE TABLE posterior (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    samples INTEGER NOT NULL,
    answers INTEGER NOT NULL,
    concentrations BYTEA NOT NULL
)""",
    """CREATE TABLE prediction (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    answer_id INTEGER NOT NULL,
    concentration FLOAT,
    fraction DOUBLE PRECISION,
    fraction_sd FLOAT,
    fraction_lo FLOAT,
    fraction_hi FLOAT,
    reach FLOAT
)""",
    """CREATE TABLE question_loss (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    question_id INTEGER NOT NULL,
    nll DOUBLE PRECISION,
    total_votes DOUBLE PRECISION NOT NULL
)""",
    """CREATE TABLE question_prediction (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    question_id INTEGER NOT NULL,
    mutual_information DOUBLE PRECISION
)""",
    """CREATE TABLE reject (
    run_id INTEGER NOT NULL,
    source VARCHAR NOT NULL,
    row BIGINT,
    key VARCHAR,
    reason VARCHAR NOT NULL
)""",
    """CREATE TABLE run (
    run_id INTEGER NOT NULL,
    job VARCHAR NOT NULL,
    fingerprint VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    started_at TIMESTAMP WITHOUT TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITHOUT TIME ZONE,
    config VARCHAR NOT NULL,
    model_sha256 VARCHAR,
    code_version VARCHAR NOT NULL
)""",
    """CREATE TABLE saliency_map (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    question_id INTEGER NOT NULL,
    answers INTEGER NOT NULL,
    height INTEGER NOT NULL,
    width INTEGER NOT NULL,
    dtype VARCHAR NOT NULL,
    mean BYTEA NOT NULL,
    sd BYTEA NOT NULL
)""",
    """CREATE TABLE saliency_stat (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    answer_id INTEGER NOT NULL,
    on_target FLOAT,
    centroid_offset FLOAT,
    entropy FLOAT,
    peak_x INTEGER NOT NULL,
    peak_y INTEGER NOT NULL,
    increase DOUBLE PRECISION NOT NULL,
    decrease DOUBLE PRECISION NOT NULL
)""",
    """CREATE TABLE setting (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL
)""",
    """CREATE TABLE shard (
    run_id INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    committed_at TIMESTAMP WITHOUT TIME ZONE NOT NULL
)""",
    """CREATE TABLE superseded (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    question_id INTEGER NOT NULL
)""",
    """CREATE TABLE vote (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    answer_id INTEGER NOT NULL,
    count DOUBLE PRECISION NOT NULL,
    total DOUBLE PRECISION NOT NULL
)""",
    "CREATE SCHEMA history",
    """CREATE VIEW galaxies AS SELECT g.galaxy_id, g.iauname, g.ra, g.dec, i.source AS image,
    i.member AS image_member, i.format AS image_format, i.height AS image_height,
    i.width AS image_width, i.sha256 AS image_sha256
FROM galaxy g JOIN run r ON r.run_id = g.run_id AND r.status = 'complete'
LEFT JOIN (
    SELECT i.* FROM image i JOIN run r ON r.run_id = i.run_id AND r.status = 'complete'
    QUALIFY row_number() OVER (PARTITION BY i.galaxy_id ORDER BY i.run_id DESC) = 1
) i ON i.galaxy_id = g.galaxy_id""",
    "COMMENT ON VIEW main.galaxies IS 'One row per galaxy.'",
    "COMMENT ON COLUMN main.galaxies.\"galaxy_id\" IS 'number of the galaxy in this catalogue'",
    """COMMENT ON COLUMN main.galaxies."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN main.galaxies.\"ra\" IS 'right ascension, deg, ICRS'",
    "COMMENT ON COLUMN main.galaxies.\"dec\" IS 'declination, deg, ICRS'",
    """COMMENT ON COLUMN main.galaxies."image" IS 'file that holds the image; NULL where there is none'""",
    """COMMENT ON COLUMN main.galaxies."image_member" IS 'name in the tar or row in the Parquet file that holds the image'""",
    """COMMENT ON COLUMN main.galaxies."image_format" IS 'encoding of the image: PNG, JPEG or FITS'""",
    "COMMENT ON COLUMN main.galaxies.\"image_height\" IS 'height of the image as stored, pixel'",
    "COMMENT ON COLUMN main.galaxies.\"image_width\" IS 'width of the image as stored, pixel'",
    "COMMENT ON COLUMN main.galaxies.\"image_sha256\" IS 'SHA-256 of the encoded image'",
    "CREATE VIEW answers AS SELECT answer_id, question, answer, label, asked_after FROM answer",
    "COMMENT ON VIEW main.answers IS 'One row per answer of the decision tree.'",
    """COMMENT ON COLUMN main.answers."answer_id" IS 'position of the answer among the columns of a model'""",
    "COMMENT ON COLUMN main.answers.\"question\" IS 'question of the decision tree'",
    "COMMENT ON COLUMN main.answers.\"answer\" IS 'answer to the question'",
    "COMMENT ON COLUMN main.answers.\"label\" IS 'question and answer, as one name'",
    """COMMENT ON COLUMN main.answers."asked_after" IS 'labels that lead to the question, comma-separated; empty: always asked'""",
    """CREATE VIEW votes AS SELECT v.galaxy_id, g.iauname, a.question, a.answer, a.label, v.count, v.total,
    CASE WHEN v.total > 0 THEN v.count / v.total END AS fraction
FROM vote v JOIN run r ON r.run_id = v.run_id AND r.status = 'complete'
JOIN galaxy g ON g.galaxy_id = v.galaxy_id
JOIN answer a ON a.answer_id = v.answer_id
ANTI JOIN superseded s ON s.run_id = v.run_id AND s.galaxy_id = v.galaxy_id
    AND s.question_id = a.question_id""",
    "COMMENT ON VIEW main.votes IS 'One row per galaxy and answer.'",
    "COMMENT ON COLUMN main.votes.\"galaxy_id\" IS 'number of the galaxy in this catalogue'",
    """COMMENT ON COLUMN main.votes."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN main.votes.\"question\" IS 'question of the decision tree'",
    "COMMENT ON COLUMN main.votes.\"answer\" IS 'answer to the question'",
    "COMMENT ON COLUMN main.votes.\"label\" IS 'question and answer, as one name'",
    """COMMENT ON COLUMN main.votes."count" IS 'volunteers who gave the answer; fractional where votes are weighted'""",
    """COMMENT ON COLUMN main.votes."total" IS 'volunteers who were asked the question, answers outside the tree included'""",
    "COMMENT ON COLUMN main.votes.\"fraction\" IS 'count / total, 0..1; NULL where total is 0'",
    """CREATE VIEW history.predictions AS SELECT p.run_id, p.galaxy_id, g.iauname, a.question, a.answer, a.label, p.concentration,
    p.fraction, p.fraction_sd, p.fraction_lo, p.fraction_hi, p.reach
FROM prediction p JOIN galaxy g ON g.galaxy_id = p.galaxy_id
JOIN answer a ON a.answer_id = p.answer_id""",
    """CREATE VIEW predictions AS SELECT * FROM history.predictions WHERE run_id = (SELECT max(run_id) FROM run WHERE job = 'predict' AND status = 'complete')""",
    "COMMENT ON VIEW history.predictions IS 'One row per run, galaxy and answer.'",
    "COMMENT ON COLUMN history.predictions.\"run_id\" IS 'run that made the row'",
    """COMMENT ON COLUMN history.predictions."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN history.predictions."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN history.predictions.\"question\" IS 'question of the decision tree'",
    "COMMENT ON COLUMN history.predictions.\"answer\" IS 'answer to the question'",
    "COMMENT ON COLUMN history.predictions.\"label\" IS 'question and answer, as one name'",
    """COMMENT ON COLUMN history.predictions."concentration" IS 'Dirichlet concentration, mean over dropout samples, 1..101 (Zoobot)'""",
    "COMMENT ON COLUMN history.predictions.\"fraction\" IS 'expected vote fraction, 0..1'",
    """COMMENT ON COLUMN history.predictions."fraction_sd" IS 'standard deviation of the vote fraction under the posterior, 0..0.5'""",
    """COMMENT ON COLUMN history.predictions."fraction_lo" IS 'lower end of the central 90 % interval of the vote fraction, 0..1'""",
    """COMMENT ON COLUMN history.predictions."fraction_hi" IS 'upper end of the central 90 % interval of the vote fraction, 0..1'""",
    """COMMENT ON COLUMN history.predictions."reach" IS 'predicted probability that a volunteer is asked the question, 0..1'""",
    "COMMENT ON VIEW main.predictions IS 'One row per run, galaxy and answer.'",
    "COMMENT ON COLUMN main.predictions.\"run_id\" IS 'run that made the row'",
    "COMMENT ON COLUMN main.predictions.\"galaxy_id\" IS 'number of the galaxy in this catalogue'",
    """COMMENT ON COLUMN main.predictions."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN main.predictions.\"question\" IS 'question of the decision tree'",
    "COMMENT ON COLUMN main.predictions.\"answer\" IS 'answer to the question'",
    "COMMENT ON COLUMN main.predictions.\"label\" IS 'question and answer, as one name'",
    """COMMENT ON COLUMN main.predictions."concentration" IS 'Dirichlet concentration, mean over dropout samples, 1..101 (Zoobot)'""",
    "COMMENT ON COLUMN main.predictions.\"fraction\" IS 'expected vote fraction, 0..1'",
    """COMMENT ON COLUMN main.predictions."fraction_sd" IS 'standard deviation of the vote fraction under the posterior, 0..0.5'""",
    """COMMENT ON COLUMN main.predictions."fraction_lo" IS 'lower end of the central 90 % interval of the vote fraction, 0..1'""",
    """COMMENT ON COLUMN main.predictions."fraction_hi" IS 'upper end of the central 90 % interval of the vote fraction, 0..1'""",
    """COMMENT ON COLUMN main.predictions."reach" IS 'predicted probability that a volunteer is asked the question, 0..1'""",
    """CREATE VIEW history.losses AS SELECT l.run_id, l.galaxy_id, g.iauname, a.question, a.answer, a.label, l.observed,
    l.predicted, l.ce, l.weight, l.weighted_ce, l.reach_weighted_ce, l.total_votes
FROM loss l JOIN galaxy g ON g.galaxy_id = l.galaxy_id
JOIN answer a ON a.answer_id = l.answer_id""",
    """CREATE VIEW losses AS SELECT * FROM history.losses WHERE run_id = (SELECT max(run_id) FROM run WHERE job = 'score' AND status = 'complete')""",
    "COMMENT ON VIEW history.losses IS 'One row per run, galaxy and answer.'",
    "COMMENT ON COLUMN history.losses.\"run_id\" IS 'run that made the row'",
    "COMMENT ON COLUMN history.losses.\"galaxy_id\" IS 'number of the galaxy in this catalogue'",
    """COMMENT ON COLUMN history.losses."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN history.losses.\"question\" IS 'question of the decision tree'",
    "COMMENT ON COLUMN history.losses.\"answer\" IS 'answer to the question'",
    "COMMENT ON COLUMN history.losses.\"label\" IS 'question and answer, as one name'",
    """COMMENT ON COLUMN history.losses."observed" IS 'vote fraction, 0..1; NULL where nobody was asked, or the question was asked with answers outside the tree'""",
    "COMMENT ON COLUMN history.losses.\"predicted\" IS 'expected vote fraction, 0..1'",
    """COMMENT ON COLUMN history.losses."ce" IS 'cross-entropy of the two, nat, 0 or more, inf where a published fraction is 0 or 1 and not all votes are; NULL where either is'""",
    "COMMENT ON COLUMN history.losses.\"weight\" IS 'factor given to the answer'",
    "COMMENT ON COLUMN history.losses.\"weighted_ce\" IS 'weight times ce, nat'",
    """COMMENT ON COLUMN history.losses."reach_weighted_ce" IS 'reach times ce, nat: what the answer is expected to cost'""",
    "COMMENT ON COLUMN history.losses.\"total_votes\" IS 'volunteers who were asked the question'",
    "COMMENT ON VIEW main.losses IS 'One row per run, galaxy and answer.'",
    "COMMENT ON COLUMN main.losses.\"run_id\" IS 'run that made the row'",
    "COMMENT ON COLUMN main.losses.\"galaxy_id\" IS 'number of the galaxy in this catalogue'",
    """COMMENT ON COLUMN main.losses."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN main.losses.\"question\" IS 'question of the decision tree'",
    "COMMENT ON COLUMN main.losses.\"answer\" IS 'answer to the question'",
    "COMMENT ON COLUMN main.losses.\"label\" IS 'question and answer, as one name'",
    """COMMENT ON COLUMN main.losses."observed" IS 'vote fraction, 0..1; NULL where nobody was asked, or the question was asked with answers outside the tree'""",
    "COMMENT ON COLUMN main.losses.\"predicted\" IS 'expected vote fraction, 0..1'",
    """COMMENT ON COLUMN main.losses."ce" IS 'cross-entropy of the two, nat, 0 or more, inf where a published fraction is 0 or 1 and not all votes are; NULL where either is'""",
    "COMMENT ON COLUMN main.losses.\"weight\" IS 'factor given to the answer'",
    "COMMENT ON COLUMN main.losses.\"weighted_ce\" IS 'weight times ce, nat'",
    """COMMENT ON COLUMN main.losses."reach_weighted_ce" IS 'reach times ce, nat: what the answer is expected to cost'""",
    "COMMENT ON COLUMN main.losses.\"total_votes\" IS 'volunteers who were asked the question'",
    """CREATE VIEW worst AS SELECT row_number() OVER (ORDER BY w.weighted_ce DESC, g.iauname) AS rank,
    w.galaxy_id, g.iauname, a.label, w.ce, w.weighted_ce, w.observed, w.predicted, w.total_votes
FROM (
    SELECT galaxy_id, unnest(max_by(
        {answer_id: answer_id, ce: ce, weighted_ce: weighted_ce, observed: observed,
            predicted: predicted, total_votes: total_votes},
        (weighted_ce, -answer_id)))
    FROM loss WHERE weighted_ce IS NOT NULL AND run_id = (
        SELECT max(run_id) FROM run WHERE job = 'score' AND status = 'complete')
    GROUP BY galaxy_id
) w JOIN galaxy g ON g.galaxy_id = w.galaxy_id JOIN answer a ON a.answer_id = w.answer_id""",
    "COMMENT ON VIEW main.worst IS 'One row per galaxy, by the answer that costs it most.'",
    "COMMENT ON COLUMN main.worst.\"rank\" IS '1 for the largest weighted_ce'",
    "COMMENT ON COLUMN main.worst.\"galaxy_id\" IS 'number of the galaxy in this catalogue'",
    """COMMENT ON COLUMN main.worst."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN main.worst.\"label\" IS 'answer with the galaxy''s largest weighted_ce'",
    "COMMENT ON COLUMN main.worst.\"ce\" IS 'cross-entropy of that answer, nat'",
    "COMMENT ON COLUMN main.worst.\"weighted_ce\" IS 'weight times ce, nat'",
    "COMMENT ON COLUMN main.worst.\"observed\" IS 'vote fraction of that answer, 0..1'",
    "COMMENT ON COLUMN main.worst.\"predicted\" IS 'expected vote fraction of that answer, 0..1'",
    "COMMENT ON COLUMN main.worst.\"total_votes\" IS 'volunteers who were asked the question'",
    """CREATE VIEW history.question_losses AS SELECT l.run_id, l.galaxy_id, g.iauname, q.question, l.total_votes, l.nll,
    p.mutual_information
FROM question_loss l JOIN run r ON r.run_id = l.run_id
JOIN galaxy g ON g.galaxy_id = l.galaxy_id
JOIN (SELECT DISTINCT question_id, question FROM answer) q ON q.question_id = l.question_id
LEFT JOIN question_prediction p ON p.galaxy_id = l.galaxy_id AND p.question_id = l.question_id
    AND p.run_id = CAST(json_extract(r.config, '$.predict_run') AS INTEGER)""",
    """CREATE VIEW question_losses AS SELECT * FROM history.question_losses WHERE run_id = (SELECT max(run_id) FROM run WHERE job = 'score' AND status = 'complete')""",
    "COMMENT ON VIEW history.question_losses IS 'One row per run, galaxy and question.'",
    "COMMENT ON COLUMN history.question_losses.\"run_id\" IS 'run that made the row'",
    """COMMENT ON COLUMN history.question_losses."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN history.question_losses."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN history.question_losses.\"question\" IS 'question of the decision tree'",
    """COMMENT ON COLUMN history.question_losses."total_votes" IS 'volunteers who were asked the question'""",
    """COMMENT ON COLUMN history.question_losses."nll" IS 'Dirichlet-multinomial negative log likelihood of the counts, nat; 0 where nobody was asked'""",
    """COMMENT ON COLUMN history.question_losses."mutual_information" IS 'between the votes and the model''s weights, nat, 0 or more'""",
    "COMMENT ON VIEW main.question_losses IS 'One row per run, galaxy and question.'",
    "COMMENT ON COLUMN main.question_losses.\"run_id\" IS 'run that made the row'",
    """COMMENT ON COLUMN main.question_losses."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.question_losses."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN main.question_losses.\"question\" IS 'question of the decision tree'",
    """COMMENT ON COLUMN main.question_losses."total_votes" IS 'volunteers who were asked the question'""",
    """COMMENT ON COLUMN main.question_losses."nll" IS 'Dirichlet-multinomial negative log likelihood of the counts, nat; 0 where nobody was asked'""",
    """COMMENT ON COLUMN main.question_losses."mutual_information" IS 'between the votes and the model''s weights, nat, 0 or more'""",
    """CREATE VIEW history.saliency AS SELECT s.run_id, s.galaxy_id, g.iauname, q.question, s.answers, s.height, s.width,
    s.dtype, s.mean, s.sd
FROM saliency_map s JOIN galaxy g ON g.galaxy_id = s.galaxy_id
JOIN (SELECT DISTINCT question_id, question FROM answer) q ON q.question_id = s.question_id""",
    """CREATE VIEW saliency AS SELECT * FROM history.saliency WHERE run_id = (SELECT max(run_id) FROM run WHERE job = 'explain' AND status = 'complete')""",
    "COMMENT ON VIEW history.saliency IS 'One row per run, galaxy and question.'",
    "COMMENT ON COLUMN history.saliency.\"run_id\" IS 'run that made the row'",
    "COMMENT ON COLUMN history.saliency.\"galaxy_id\" IS 'number of the galaxy in this catalogue'",
    """COMMENT ON COLUMN history.saliency."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN history.saliency.\"question\" IS 'question of the decision tree'",
    """COMMENT ON COLUMN history.saliency."answers" IS 'number of maps in the blobs, one an answer in tree order'""",
    """COMMENT ON COLUMN history.saliency."height" IS 'rows of a map: the explained layer''s own resolution'""",
    "COMMENT ON COLUMN history.saliency.\"width\" IS 'columns of a map'",
    "COMMENT ON COLUMN history.saliency.\"dtype\" IS 'NumPy type of the blobs, little-endian'",
    """COMMENT ON COLUMN history.saliency."mean" IS 'maps averaged over dropout samples, (answers, height, width) row-major, in units of concentration; positive pixels increase it'""",
    """COMMENT ON COLUMN history.saliency."sd" IS 'standard deviation over dropout samples, as mean'""",
    "COMMENT ON VIEW main.saliency IS 'One row per run, galaxy and question.'",
    "COMMENT ON COLUMN main.saliency.\"run_id\" IS 'run that made the row'",
    "COMMENT ON COLUMN main.saliency.\"galaxy_id\" IS 'number of the galaxy in this catalogue'",
    """COMMENT ON COLUMN main.saliency."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN main.saliency.\"question\" IS 'question of the decision tree'",
    """COMMENT ON COLUMN main.saliency."answers" IS 'number of maps in the blobs, one an answer in tree order'""",
    """COMMENT ON COLUMN main.saliency."height" IS 'rows of a map: the explained layer''s own resolution'""",
    "COMMENT ON COLUMN main.saliency.\"width\" IS 'columns of a map'",
    "COMMENT ON COLUMN main.saliency.\"dtype\" IS 'NumPy type of the blobs, little-endian'",
    """COMMENT ON COLUMN main.saliency."mean" IS 'maps averaged over dropout samples, (answers, height, width) row-major, in units of concentration; positive pixels increase it'""",
    "COMMENT ON COLUMN main.saliency.\"sd\" IS 'standard deviation over dropout samples, as mean'",
    """CREATE VIEW history.saliency_stats AS SELECT s.run_id, s.galaxy_id, g.iauname, a.question, a.answer, a.label, s.on_target,
    s.centroid_offset, s.entropy, s.peak_x, s.peak_y, s.increase, s.decrease
FROM saliency_stat s JOIN galaxy g ON g.galaxy_id = s.galaxy_id
JOIN answer a ON a.answer_id = s.answer_id""",
    """CREATE VIEW saliency_stats AS SELECT * FROM history.saliency_stats WHERE run_id = (SELECT max(run_id) FROM run WHERE job = 'explain' AND status = 'complete')""",
    "COMMENT ON VIEW history.saliency_stats IS 'One row per run, galaxy and answer.'",
    "COMMENT ON COLUMN history.saliency_stats.\"run_id\" IS 'run that made the row'",
    """COMMENT ON COLUMN history.saliency_stats."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN history.saliency_stats."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN history.saliency_stats.\"question\" IS 'question of the decision tree'",
    "COMMENT ON COLUMN history.saliency_stats.\"answer\" IS 'answer to the question'",
    "COMMENT ON COLUMN history.saliency_stats.\"label\" IS 'question and answer, as one name'",
    """COMMENT ON COLUMN history.saliency_stats."on_target" IS 'share of the positive saliency on the central galaxy''s segment, 0..1; NULL without positive saliency or segment'""",
    """COMMENT ON COLUMN history.saliency_stats."centroid_offset" IS 'distance of the positive saliency''s centroid from the image centre, in half widths of the image'""",
    """COMMENT ON COLUMN history.saliency_stats."entropy" IS 'spread of the absolute saliency: 0 one pixel, 1 uniform'""",
    """COMMENT ON COLUMN history.saliency_stats."peak_x" IS 'column of the largest value in the map, from 0'""",
    """COMMENT ON COLUMN history.saliency_stats."peak_y" IS 'row of the largest value in the map, from 0'""",
    """COMMENT ON COLUMN history.saliency_stats."increase" IS 'sum of the positive part of the map, in units of concentration'""",
    """COMMENT ON COLUMN history.saliency_stats."decrease" IS 'sum of the negative part of the map, 0 or less'""",
    "COMMENT ON VIEW main.saliency_stats IS 'One row per run, galaxy and answer.'",
    "COMMENT ON COLUMN main.saliency_stats.\"run_id\" IS 'run that made the row'",
    """COMMENT ON COLUMN main.saliency_stats."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.saliency_stats."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    "COMMENT ON COLUMN main.saliency_stats.\"question\" IS 'question of the decision tree'",
    "COMMENT ON COLUMN main.saliency_stats.\"answer\" IS 'answer to the question'",
    "COMMENT ON COLUMN main.saliency_stats.\"label\" IS 'question and answer, as one name'",
    """COMMENT ON COLUMN main.saliency_stats."on_target" IS 'share of the positive saliency on the central galaxy''s segment, 0..1; NULL without positive saliency or segment'""",
    """COMMENT ON COLUMN main.saliency_stats."centroid_offset" IS 'distance of the positive saliency''s centroid from the image centre, in half widths of the image'""",
    """COMMENT ON COLUMN main.saliency_stats."entropy" IS 'spread of the absolute saliency: 0 one pixel, 1 uniform'""",
    """COMMENT ON COLUMN main.saliency_stats."peak_x" IS 'column of the largest value in the map, from 0'""",
    """COMMENT ON COLUMN main.saliency_stats."peak_y" IS 'row of the largest value in the map, from 0'""",
    """COMMENT ON COLUMN main.saliency_stats."increase" IS 'sum of the positive part of the map, in units of concentration'""",
    """COMMENT ON COLUMN main.saliency_stats."decrease" IS 'sum of the negative part of the map, 0 or less'""",
    'CREATE VIEW rejects AS SELECT run_id, source, "row", key, reason FROM reject',
    "COMMENT ON VIEW main.rejects IS 'One row per refused input row, value or image.'",
    "COMMENT ON COLUMN main.rejects.\"run_id\" IS 'run that refused it'",
    "COMMENT ON COLUMN main.rejects.\"source\" IS 'file it came from'",
    """COMMENT ON COLUMN main.rejects."row" IS 'row in the file, the first data row being 1; NULL where it is no row'""",
    "COMMENT ON COLUMN main.rejects.\"key\" IS 'identifier, column or image it is about'",
    "COMMENT ON COLUMN main.rejects.\"reason\" IS 'why it was refused'",
    """CREATE VIEW runs AS SELECT run_id, job, status, started_at, finished_at, config, model_sha256, code_version
FROM run""",
    "COMMENT ON VIEW main.runs IS 'One row per run of a job.'",
    "COMMENT ON COLUMN main.runs.\"run_id\" IS 'number of the run, in order of start'",
    "COMMENT ON COLUMN main.runs.\"job\" IS 'ingest, predict, score, index or explain'",
    """COMMENT ON COLUMN main.runs."status" IS 'complete; or running, which means interrupted when nothing is at work'""",
    "COMMENT ON COLUMN main.runs.\"started_at\" IS 'start, UTC'",
    "COMMENT ON COLUMN main.runs.\"finished_at\" IS 'end, UTC; NULL while not complete'",
    "COMMENT ON COLUMN main.runs.\"config\" IS 'configuration and checksums of the inputs, JSON'",
    "COMMENT ON COLUMN main.runs.\"model_sha256\" IS 'SHA-256 of the model''s file'",
    "COMMENT ON COLUMN main.runs.\"code_version\" IS 'version of Zoolens'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
