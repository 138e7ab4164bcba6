"""Galaxies as protocols of the Virtual Observatory ask for them: by place, by name, with links.

Queries over the public views, of a catalogue or of all pieces of a survey. What is asked for is
bound (`$name`), but for places: those are ADQL, translated with its window first, of our own
numbers.
"""

from collections.abc import Sequence

# What is read by `linked` and `images`; of a survey the views are made of these names.
VIEWS = "galaxies, losses, saliency, predictions"
PUBLISHER = "ivo://zoolens/galaxies?"  # and the name, percent-encoded: a galaxy's image
COLLECTION = "zoolens"
_MIME = """CASE image_format WHEN 'PNG' THEN 'image/png' WHEN 'JPEG' THEN 'image/jpeg'
    WHEN 'FITS' THEN 'image/fits' END"""
_IMAGE = "$root || '/galaxies/' || url_encode(iauname) || '/image'"

# $ids: as they were given, which stay in their order; $names: of galaxies
LINKED = """SELECT w.id, w.name, g.iauname, g.image_format,
    g.galaxy_id IN (SELECT galaxy_id FROM saliency WHERE galaxy_id = g.galaxy_id) AS mapped,
    g.galaxy_id IN (SELECT galaxy_id FROM predictions WHERE galaxy_id = g.galaxy_id) AS predicted,
    (SELECT max_by(label, weighted_ce) FROM losses l WHERE l.galaxy_id = g.galaxy_id) AS costliest
FROM (SELECT unnest($ids) AS id, unnest($names) AS name, unnest(range(len($ids))) AS place) w
LEFT JOIN galaxies g ON g.iauname = w.name ORDER BY w.place"""

# By verbosity.
_CONE = (
    ("iauname", "ra", "dec"),
    (f"CASE WHEN image_format IS NOT NULL THEN {_IMAGE} END AS image_url", "image_format"),
    ("galaxy_id", "image_height", "image_width"),
)


def galaxies_within(conditions: Sequence[str]) -> str:
    """ADQL for galaxies that fulfil any of some conditions; all with a position, if none."""
    where = " OR ".join(f"({one})" for one in conditions) or "ra IS NOT NULL AND dec IS NOT NULL"
    return (
        "SELECT galaxy_id, iauname, ra, dec, image_format, image_height, image_width "
        f"FROM zoolens.galaxies WHERE {where}"
    )


def cone(within: str, verbosity: int) -> str:
    """Galaxies of a query as a cone search gives them; $root, where verbosity is 2 or 3, $rows."""
    columns = [column for some in _CONE[:verbosity] for column in some]
    return f"SELECT {', '.join(columns)} FROM ({within}) LIMIT $rows"


def images(within: str, *, named: bool, formatted: bool) -> str:
    """Images of the galaxies of a query, as ObsCore has them; $root, $rows, $names, $formats."""
    more = " AND list_contains($names, iauname)" if named else ""
    more += f" AND list_contains($formats, {_MIME})" if formatted else ""
    return f"""SELECT 'image' AS dataproduct_type, 3 AS calib_level,
    '{COLLECTION}' AS obs_collection, iauname AS obs_id,
    '{PUBLISHER}' || url_encode(iauname) AS obs_publisher_did, {_IMAGE} AS access_url,
    {_MIME} AS access_format, NULL AS access_estsize, iauname AS target_name, ra AS s_ra,
    dec AS s_dec, NULL AS s_fov, NULL AS s_region, NULL AS s_resolution,
    image_width AS s_xel1, image_height AS s_xel2, NULL AS t_min, NULL AS t_max,
    NULL AS t_exptime, NULL AS t_resolution, NULL AS t_xel, NULL AS em_min, NULL AS em_max,
    NULL AS em_res_power, NULL AS em_xel, NULL AS o_ucd, NULL AS pol_states, NULL AS pol_xel,
    NULL AS facility_name, NULL AS instrument_name
FROM ({within}) WHERE image_format IS NOT NULL{more} LIMIT $rows"""
