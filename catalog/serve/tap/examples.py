"""/examples: queries to begin with, in XHTML that says which they are (DALI 1.1, section 2.3)."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

import pyarrow as pa

from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.adql.translate import translate
from zoolens.catalog.store.published import Published, uploaded

_MINE = pa.schema([pa.field("ra", pa.float64()), pa.field("dec", pa.float64())])
_EXAMPLES = (
    (
        "worst",
        "Where volunteers and the network disagree most",
        "SELECT TOP 100 rank, iauname, label, observed, predicted, weighted_ce\n"
        "FROM zoolens.worst WHERE total_votes >= 10 ORDER BY rank",
    ),
    (
        "cone",
        "Galaxies within half a degree of a place",
        "SELECT iauname, ra, dec FROM zoolens.galaxies\n"
        "WHERE 1 = CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 180.0, 0.0, 0.5))",
    ),
    (
        "predictions",
        "What is expected of one answer, with positions",
        "SELECT TOP 1000 g.iauname, g.ra, g.dec, p.fraction, p.fraction_lo, p.fraction_hi\n"
        "FROM zoolens.predictions AS p JOIN zoolens.galaxies AS g USING (iauname)\n"
        "WHERE p.label LIKE '%featured%' AND p.fraction > 0.5",
    ),
    (
        "similar",
        "Galaxies that volunteers saw as they saw the worst one, in one question",
        "SELECT TOP 10 g.iauname, similarity(g.iauname, w.iauname, a.question) AS alike\n"
        "FROM zoolens.galaxies AS g, zoolens.worst AS w JOIN zoolens.answers AS a USING (label)\n"
        "WHERE w.rank = 1 ORDER BY alike DESC",
    ),
    (
        "maps",
        "Which pixels raise an answer, as arrays",
        "SELECT TOP 10 iauname, label, saliency_map(iauname, label) AS pixels\n"
        "FROM zoolens.saliency_stats WHERE \"of\" = 'concentration'",
    ),
    (
        "uploaded",
        "Galaxies near those of a table of your own, uploaded as mine",
        "SELECT m.*, g.iauname FROM TAP_UPLOAD.mine AS m JOIN zoolens.galaxies AS g\n"
        "ON 1 = CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', m.ra, m.dec, 1.0 / 3600))",
    ),
)
_PAGE = """<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en">
<head><title>Queries to begin with</title></head>
<body vocab="http://www.ivoa.net/rdf/examples#">
<h1>Queries to begin with</h1>
{examples}
</body>
</html>
"""
_EXAMPLE = """<div id="{id}" resource="#{id}" typeof="example">
<h2 property="name">{name}</h2>
<pre property="query">{query}</pre>
</div>"""


def examples(tables: Sequence[Published]) -> bytes:
    """The page of queries that some tables can answer; all but that with an upload as they are."""
    made = [
        _EXAMPLE.format(id=number, name=escape(name), query=escape(query))
        for number, name, query in _EXAMPLES
        if _can_be_asked(query, tables)
    ]
    return _PAGE.format(examples="\n".join(made)).encode()


def _can_be_asked(query: str, tables: Sequence[Published]) -> bool:
    try:
        translate(query, [*tables, uploaded("mine", _MINE)], 1)
    except AdqlError:
        return False
    return True
