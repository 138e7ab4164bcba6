"""The newest image of each galaxy without sorting all of them."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
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
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.get_bind().exec_driver_sql(statement)
