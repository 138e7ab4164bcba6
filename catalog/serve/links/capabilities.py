"""/capabilities of DataLink, SIA 2 and cone search: what each service is (VOSI 1.1)."""

from xml.sax.saxutils import escape, quoteattr

from zoolens.catalog.serve.settings import Settings

_STANDARDS = {
    "datalink": "ivo://ivoa.net/std/DataLink#links-1.1",
    "sia2": "ivo://ivoa.net/std/SIA#query-2.0",
    "scs": "ivo://ivoa.net/std/ConeSearch",
}
_WAYS = {"datalink": "datalink/links", "sia2": "sia2/query", "scs": "scs"}
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0" \
xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1" \
xmlns:cs="http://www.ivoa.net/xml/ConeSearch/v1.0" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
"""
_TAIL = "</vosi:capabilities>\n"


def capabilities(which: str, root: str, settings: Settings) -> bytes:
    """What a service is; which: `datalink`, `sia2` or `scs`; root: the server's address."""
    address = f"{root}/{_WAYS[which]}"
    made = [
        _capability("ivo://ivoa.net/std/VOSI#capabilities", f"{root}/{which}/capabilities"),
        _capability("ivo://ivoa.net/std/VOSI#availability", f"{root}/{which}/availability"),
    ]
    if which == "scs":
        made.append(_cone_search(f"{address}?", settings))
    else:
        made.append(_capability(_STANDARDS[which], address))
    return (_HEAD + "".join(made) + _TAIL).encode()


def _capability(standard: str, address: str) -> str:
    return (
        f"<capability standardID={quoteattr(standard)}>\n"
        '<interface xsi:type="vs:ParamHTTP" role="std" version="1.1">\n'
        f'<accessURL use="full">{escape(address)}</accessURL>\n</interface>\n</capability>\n'
    )


def _cone_search(address: str, settings: Settings) -> str:
    return (
        f'<capability xsi:type="cs:ConeSearch" standardID={quoteattr(_STANDARDS["scs"])}>\n'
        '<interface xsi:type="vs:ParamHTTP" role="std" version="1.03">\n'
        f'<accessURL use="base">{escape(address)}</accessURL>\n</interface>\n'
        f"<maxSR>180</maxSR>\n<maxRecords>{settings.most_rows}</maxRecords>\n"
        "<verbosity>true</verbosity>\n</capability>\n"
    )
