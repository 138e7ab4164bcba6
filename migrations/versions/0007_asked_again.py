"""The run that shows is the one that was asked for last, also where it was there before."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    "ALTER TABLE run ADD COLUMN asked_at TIMESTAMP",
    "UPDATE run SET asked_at = started_at",
    "DROP VIEW galaxies",
    """CREATE VIEW galaxies AS SELECT g.galaxy_id, g.iauname, g.ra, g.dec, i.source AS image,
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
        SELECT max_by(run_id, asked_at) FROM run WHERE job = 'train' AND status = 'complete')
) s ON s.galaxy_id = g.galaxy_id""",
    "COMMENT ON VIEW main.galaxies IS 'One row per galaxy.'",
    """COMMENT ON COLUMN main.galaxies."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.galaxies."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    """COMMENT ON COLUMN main.galaxies."ra" IS 'right ascension, deg, ICRS'""",
    """COMMENT ON COLUMN main.galaxies."dec" IS 'declination, deg, ICRS'""",
    """COMMENT ON COLUMN main.galaxies."image" IS 'file that holds the image; NULL where there is none'""",
    """COMMENT ON COLUMN main.galaxies."image_member" IS 'name in the tar or row in the Parquet file that holds the image'""",
    """COMMENT ON COLUMN main.galaxies."image_format" IS 'encoding of the image: PNG, JPEG or FITS'""",
    """COMMENT ON COLUMN main.galaxies."image_height" IS 'height of the image as stored, pixel'""",
    """COMMENT ON COLUMN main.galaxies."image_width" IS 'width of the image as stored, pixel'""",
    """COMMENT ON COLUMN main.galaxies."image_sha256" IS 'SHA-256 of the encoded image'""",
    """COMMENT ON COLUMN main.galaxies."split" IS 'what the newest training used the galaxy for: train, validation or test; NULL where it did not use it'""",
    "DROP VIEW predictions",
    "CREATE VIEW predictions AS SELECT * FROM history.predictions WHERE run_id = (SELECT max_by(run_id, asked_at) FROM run WHERE job = 'predict' AND status = 'complete')",
    "COMMENT ON VIEW main.predictions IS 'One row per run, galaxy and answer.'",
    """COMMENT ON COLUMN main.predictions."run_id" IS 'run that made the row'""",
    """COMMENT ON COLUMN main.predictions."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.predictions."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    """COMMENT ON COLUMN main.predictions."question" IS 'question of the decision tree'""",
    """COMMENT ON COLUMN main.predictions."answer" IS 'answer to the question'""",
    """COMMENT ON COLUMN main.predictions."label" IS 'question and answer, as one name'""",
    """COMMENT ON COLUMN main.predictions."concentration" IS 'Dirichlet concentration, mean over dropout samples, 1..101 (Zoobot)'""",
    """COMMENT ON COLUMN main.predictions."fraction" IS 'expected vote fraction, 0..1'""",
    """COMMENT ON COLUMN main.predictions."fraction_sd" IS 'standard deviation of the vote fraction under the posterior, 0..0.5'""",
    """COMMENT ON COLUMN main.predictions."fraction_lo" IS 'lower end of the central 90 % interval of the vote fraction, 0..1'""",
    """COMMENT ON COLUMN main.predictions."fraction_hi" IS 'upper end of the central 90 % interval of the vote fraction, 0..1'""",
    """COMMENT ON COLUMN main.predictions."reach" IS 'predicted probability that a volunteer is asked the question, 0..1'""",
    "DROP VIEW losses",
    "CREATE VIEW losses AS SELECT * FROM history.losses WHERE run_id = (SELECT max_by(run_id, asked_at) FROM run WHERE job = 'score' AND status = 'complete')",
    "COMMENT ON VIEW main.losses IS 'One row per run, galaxy and answer.'",
    """COMMENT ON COLUMN main.losses."run_id" IS 'run that made the row'""",
    """COMMENT ON COLUMN main.losses."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.losses."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    """COMMENT ON COLUMN main.losses."question" IS 'question of the decision tree'""",
    """COMMENT ON COLUMN main.losses."answer" IS 'answer to the question'""",
    """COMMENT ON COLUMN main.losses."label" IS 'question and answer, as one name'""",
    """COMMENT ON COLUMN main.losses."observed" IS 'vote fraction, 0..1; NULL where nobody was asked, or the question was asked with answers outside the tree'""",
    """COMMENT ON COLUMN main.losses."predicted" IS 'expected vote fraction, 0..1'""",
    """COMMENT ON COLUMN main.losses."ce" IS 'cross-entropy of the two, nat, 0 or more, inf where a published fraction is 0 or 1 and not all votes are; NULL where either is'""",
    """COMMENT ON COLUMN main.losses."weight" IS 'factor given to the answer'""",
    """COMMENT ON COLUMN main.losses."weighted_ce" IS 'weight times ce, nat'""",
    """COMMENT ON COLUMN main.losses."reach_weighted_ce" IS 'reach times ce, nat: what the answer is expected to cost'""",
    """COMMENT ON COLUMN main.losses."total_votes" IS 'volunteers who were asked the question'""",
    "DROP VIEW worst",
    """CREATE VIEW worst AS SELECT row_number() OVER (ORDER BY w.weighted_ce DESC, g.iauname) AS rank,
    w.galaxy_id, g.iauname, a.label, w.ce, w.weighted_ce, w.observed, w.predicted, w.total_votes
FROM galaxy_loss w JOIN galaxy g ON g.galaxy_id = w.galaxy_id
JOIN answer a ON a.answer_id = w.answer_id
WHERE w.run_id = (SELECT max_by(run_id, asked_at) FROM run WHERE job = 'score' AND status = 'complete')""",
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
    "DROP VIEW question_losses",
    "CREATE VIEW question_losses AS SELECT * FROM history.question_losses WHERE run_id = (SELECT max_by(run_id, asked_at) FROM run WHERE job = 'score' AND status = 'complete')",
    "COMMENT ON VIEW main.question_losses IS 'One row per run, galaxy and question.'",
    """COMMENT ON COLUMN main.question_losses."run_id" IS 'run that made the row'""",
    """COMMENT ON COLUMN main.question_losses."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.question_losses."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    """COMMENT ON COLUMN main.question_losses."question" IS 'question of the decision tree'""",
    """COMMENT ON COLUMN main.question_losses."total_votes" IS 'volunteers who were asked the question'""",
    """COMMENT ON COLUMN main.question_losses."nll" IS 'Dirichlet-multinomial negative log likelihood of the counts, nat; 0 where nobody was asked'""",
    """COMMENT ON COLUMN main.question_losses."mutual_information" IS 'between the votes and the model''s weights, nat, 0 or more'""",
    "DROP VIEW saliency",
    "CREATE VIEW saliency AS SELECT * FROM history.saliency WHERE run_id = (SELECT max_by(run_id, asked_at) FROM run WHERE job = 'explain' AND status = 'complete')",
    "COMMENT ON VIEW main.saliency IS 'One row per run, galaxy and question.'",
    """COMMENT ON COLUMN main.saliency."run_id" IS 'run that made the row'""",
    """COMMENT ON COLUMN main.saliency."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.saliency."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    """COMMENT ON COLUMN main.saliency."question" IS 'question of the decision tree'""",
    """COMMENT ON COLUMN main.saliency."answers" IS 'number of maps in the blobs, one an answer in tree order'""",
    """COMMENT ON COLUMN main.saliency."height" IS 'rows of a map: the explained layer''s own resolution'""",
    """COMMENT ON COLUMN main.saliency."width" IS 'columns of a map'""",
    """COMMENT ON COLUMN main.saliency."dtype" IS 'NumPy type of the blobs, little-endian'""",
    """COMMENT ON COLUMN main.saliency."mean" IS 'maps averaged over dropout samples, (answers, height, width) row-major, in units of concentration; positive pixels increase it'""",
    """COMMENT ON COLUMN main.saliency."sd" IS 'standard deviation over dropout samples, as mean'""",
    "DROP VIEW saliency_stats",
    "CREATE VIEW saliency_stats AS SELECT * FROM history.saliency_stats WHERE run_id = (SELECT max_by(run_id, asked_at) FROM run WHERE job = 'explain' AND status = 'complete')",
    "COMMENT ON VIEW main.saliency_stats IS 'One row per run, galaxy and answer.'",
    """COMMENT ON COLUMN main.saliency_stats."run_id" IS 'run that made the row'""",
    """COMMENT ON COLUMN main.saliency_stats."galaxy_id" IS 'number of the galaxy in this catalogue'""",
    """COMMENT ON COLUMN main.saliency_stats."iauname" IS 'name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS'""",
    """COMMENT ON COLUMN main.saliency_stats."question" IS 'question of the decision tree'""",
    """COMMENT ON COLUMN main.saliency_stats."answer" IS 'answer to the question'""",
    """COMMENT ON COLUMN main.saliency_stats."label" IS 'question and answer, as one name'""",
    """COMMENT ON COLUMN main.saliency_stats."on_target" IS 'share of the positive saliency on the central galaxy''s segment, 0..1; NULL without positive saliency or segment'""",
    """COMMENT ON COLUMN main.saliency_stats."centroid_offset" IS 'distance of the positive saliency''s centroid from the image centre, in half widths of the image'""",
    """COMMENT ON COLUMN main.saliency_stats."entropy" IS 'spread of the absolute saliency: 0 one pixel, 1 uniform'""",
    """COMMENT ON COLUMN main.saliency_stats."peak_x" IS 'column of the largest value in the map, from 0'""",
    """COMMENT ON COLUMN main.saliency_stats."peak_y" IS 'row of the largest value in the map, from 0'""",
    """COMMENT ON COLUMN main.saliency_stats."increase" IS 'sum of the positive part of the map, in units of concentration'""",
    """COMMENT ON COLUMN main.saliency_stats."decrease" IS 'sum of the negative part of the map, 0 or less'""",
    "DROP VIEW evaluations",
    "CREATE VIEW evaluations AS SELECT * FROM history.evaluations WHERE run_id = (SELECT max_by(run_id, asked_at) FROM run WHERE job = 'evaluate' AND status = 'complete')",
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
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
