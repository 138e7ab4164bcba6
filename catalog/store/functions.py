"""Functions that only Zoolens has, as macros of DuckDB over the public views or a release's tables.

DuckDB writes a macro's argument wherever its name stands, and whatever is nearer would take the
names in it: so every name in a macro begins with `z_`.

`zoolens_similarity_<of a galaxy>_<of the other>(galaxy, other, question)`, where each is `votes` or
`predictions`: as `catalog.similarity.exact.similarity` has it of the answers to one question, each
of weight 1, in nat, 0 or less; NULL where nobody was asked, or with answers outside the tree, or
nothing is predicted. Votes of the galaxy are smoothed as `observed_candidates` does, and its
predicted fractions kept from 0 and 1 as `predicted_candidates` does. Terms are added in the order
of labels, so that equal galaxies have equal values.

`zoolens_map_<mean or sd>(galaxy, label)`: a map as a list of FLOAT, row-major; NULL without one.
"""

from collections.abc import Mapping

VOTES, PREDICTIONS = "votes", "predictions"
AS_MAPS = "maps"  # in place of the size of a column of maps, until it is looked up
_EDGE = 2.0**-23  # `catalog.similarity.exact.EDGE`
# What is known of answers: fraction, count, and predicted fraction, of which one is asked for.
_FRACTION = "fraction AS z_p FROM {view} WHERE fraction IS NOT NULL"
_OTHER = f"SELECT iauname AS z_o, question AS z_q, label AS z_l, {_FRACTION}"
_CANDIDATE = {
    VOTES: "SELECT iauname AS z_g, label AS z_l, count AS z_v FROM {view} "
    "WHERE fraction IS NOT NULL",
    PREDICTIONS: f"SELECT iauname AS z_g, label AS z_l, greatest({_EDGE!r}, "
    f"least({1 - _EDGE!r}, fraction)) AS z_v FROM {{view}}",
}
# Of the terms z_t, with z_n their number of votes, smoothed: log q, and log(1 - q).
_LOGARITHMS = {
    VOTES: ("ln((z_t.v + 0.5) / z_n)", "ln((z_n - z_t.v - 0.5) / z_n)"),
    PREDICTIONS: ("ln(z_t.v)", "ln(1 - z_t.v)"),
}


def similarity(of: str, other: str) -> str:
    """SQL that makes the macro of the similarity of two kinds of fractions."""
    is_log, is_not_log = _LOGARITHMS[of]
    candidate = _CANDIDATE[of].format(view=f"main.{of}")
    asked = _OTHER.format(view=f"main.{other}")
    return f"""CREATE OR REPLACE TEMP MACRO
zoolens_similarity_{of}_{other}(z_galaxy, z_other, z_question) AS (
SELECT list_sum(list_transform(z_terms, lambda z_t: z_t.p * {is_log} + (1 - z_t.p) * {is_not_log}))
FROM (SELECT list(struct_pack(p := z_b.z_p, v := z_a.z_v) ORDER BY z_l) AS z_terms,
    sum(z_a.z_v) + count(*) / 2 AS z_n
FROM ({asked}) z_b JOIN ({candidate}) z_a USING (z_l)
WHERE z_b.z_o = z_other AND z_b.z_q = z_question AND z_a.z_g = z_galaxy))"""


# A float32 of a blob, by its bytes: DuckDB's bits begin with the most significant.
_BYTE = "z_blob[4 * z_i + {place} : 4 * z_i + {place}]"
_BYTES = " || ".join(_BYTE.format(place=place) for place in (4, 3, 2, 1))
_FLOATS = f"""CREATE OR REPLACE TEMP MACRO zoolens_floats(z_blob, z_first, z_count) AS
list_transform(range(z_first, z_first + z_count),
    lambda z_i: CAST(CAST({_BYTES} AS BIT) AS FLOAT))"""
_OF_BLOBS = """CREATE OR REPLACE TEMP MACRO zoolens_map_{kind}(z_galaxy, z_label) AS (
SELECT zoolens_floats(z_s.z_blob, z_n.z_place * z_s.z_size, z_s.z_size)
FROM (SELECT iauname AS z_g, question AS z_q, height * width AS z_size, {kind} AS z_blob
    FROM main.saliency) z_s
JOIN (SELECT label AS z_l, question AS z_q,
    answer_id - min(answer_id) OVER (PARTITION BY question) AS z_place
    FROM main.answers) z_n USING (z_q)
WHERE z_s.z_g = z_galaxy AND z_n.z_l = z_label)"""
_OF_LISTS = """CREATE OR REPLACE TEMP MACRO zoolens_map_{kind}(z_galaxy, z_label) AS (
SELECT z_s.z_map FROM (SELECT iauname AS z_g, label AS z_l, {kind} AS z_map FROM main.saliency) z_s
WHERE z_s.z_g = z_galaxy AND z_s.z_l = z_label)"""
SHAPE = "SELECT DISTINCT width, height FROM main.saliency LIMIT 2"  # of all maps, if it is one


def maps(*, blobs: bool) -> list[str]:
    """SQL that makes the macros of maps; blobs: as a catalogue has them, else lists."""
    form = _OF_BLOBS if blobs else _OF_LISTS
    return [*([_FLOATS] if blobs else []), *(form.format(kind=kind) for kind in ("mean", "sd"))]


SIMILARITIES: Mapping[str, str] = {
    f"zoolens_similarity_{of}_{other}": similarity(of, other)
    for of in (VOTES, PREDICTIONS)
    for other in (VOTES, PREDICTIONS)
}
