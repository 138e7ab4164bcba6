"""/examples: queries to begin with, in XHTML that says which they are (DALI 1.1, section 2.3)."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from zoolens.catalog.store.published import Published

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
        "FROM zoolens.predictions AS p JOIN zoolens.galaxies AS g USING (galaxy_id)\n"
        "WHERE p.label LIKE '%featured%' AND p.fraction > 0.5",
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
    """The page of queries, of which all but that with an upload can be asked as they are."""
    made = [
        _EXAMPLE.format(id=number, name=escape(name), query=escape(query))
        for number, name, query in _EXAMPLES
    ]
    return _PAGE.format(examples="\n".join(made)).encode()
