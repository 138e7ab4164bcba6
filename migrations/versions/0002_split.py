"""The split of a training: its table, and a column of the view `galaxies`."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    """CREATE TABLE split (
    run_id INTEGER NOT NULL,
    galaxy_id BIGINT NOT NULL,
    split VARCHAR NOT NULL
)""",
    "DROP VIEW galaxies",
    """CREATE VIEW galaxies AS SELECT g.galaxy_id, g.iauname, g.ra, g.dec, i.source AS image,
    i.member AS image_member, i.format AS image_format, i.height AS image_height,
    i.width AS image_width, i.sha256 AS image_sha256, s.split
FROM galaxy g JOIN run r ON r.run_id = g.run_id AND r.status = 'complete'
LEFT JOIN (
    SELECT i.* FROM image i JOIN run r ON r.run_id = i.run_id AND r.status = 'complete'
    QUALIFY row_number() OVER (PARTITION BY i.galaxy_id ORDER BY i.run_id DESC) = 1
) i ON i.galaxy_id = g.galaxy_id
LEFT JOIN (
    SELECT galaxy_id, split FROM split WHERE run_id = (
        SELECT max(run_id) FROM run WHERE job = 'train' AND status = 'complete')
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
    """COMMENT ON COLUMN main.runs."job" IS 'ingest, predict, score, index, explain or train'""",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
