"""Requests that are none: broken HTTP, floods, odd paths, and uploads that are no VOTables."""

import base64
import gzip
from random import Random
from urllib.parse import quote

_LINES = (
    *(b"GET", b"GET /tap/sync", b"GET  /tap HTTP/1.1", b"get /tap/sync http/1.1", b"\x00" * 40),
    *(b"GET /tap/tables HTTP/9.9", b"POST /tap/sync HTTP/1.1", b"OPTIONS * HTTP/1.1"),
    *(b"CONNECT elsewhere:25 HTTP/1.1", b"GET http://elsewhere/ HTTP/1.1", b"TRACE / HTTP/1.1"),
    *(b"PRI * HTTP/2.0", b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET /\xff\xfe HTTP/1.1"),
    *(b"GET /tap/sync?QUERY=" + b"%" * 3000 + b" HTTP/1.1", b"PUT /tap/async HTTP/1.1"),
)
_HEADERS = (
    *(b"Host: here", b"Host: a\r\nHost: b", b"Host: x\x00y", b'Host: "><script>', b"", b"X"),
    *(b"Content-Length: -1", b"Content-Length: 5\r\nContent-Length: 6", b"Content-Length: x"),
    *(b"Content-Length: 99999999999999999999", b"Transfer-Encoding: chunked", b" folded: 1"),
    *(b"Transfer-Encoding: chunked\r\nContent-Length: 4", b"Transfer-Encoding: gzip, chunked"),
    *(b"Expect: 100-continue", b"Upgrade: websocket\r\nConnection: Upgrade", b"Upgrade: h2c"),
    *(b"Content-Type: multipart/form-data; boundary=" + b"b" * 5000, b"Range: bytes=0-0,-1,9-1"),
    *(b"Content-Type: multipart/form-data", b"Content-Type: " + b"x" * 9000, b"Connection: close"),
    *(b"Content-Type: application/x-www-form-urlencoded; charset=utf-7", b"Authorization: Basic !"),
    *(
        b"X: " + b"y" * 140_000,
        b"\r\n".join(b"X-%d: y" % n for n in range(3000)),
        b"Cookie: " + b"a=b;" * 999,
    ),
)
_BODIES = (
    *(b"", b"x", b"5\r\nhello\r\n0\r\n\r\n", b"fffffffffffffffff\r\n", b"-1\r\n\r\n", b"5\r\nhel"),
    *(b"LANG=ADQL&QUERY=SELECT+1", b"LANG=ADQL&" * 4000, b"&" * 9000, b"=" * 9000, b"%ff%00=%"),
    *(b"\x00" * 100_000, b"GET /tap/tables HTTP/1.1\r\nHost: here\r\n\r\n" * 20, b"\xff" * 5000),
)
_PATHS = (
    *(
        "/async/../../../etc/passwd",
        "/async/..%2f..%2fetc%2fpasswd",
        "/async/%2e%2e/x",
        "//etc/passwd",
    ),
    *("/async/x/results/..%2f..%2fjob.json", "/async/x/results/result%00.vot", "/tables/%00"),
    *(
        "/tables/../../etc/passwd",
        "/tables/" + "a" * 5000,
        "/tables/zoolens.%27%3b--",
        "/sync/",
        "/\u00e9",
    ),
    *(
        "/async/" + "0" * 16,
        "/async/" + "9" * 4000 + "/phase",
        "/async/x/phase",
        "/availability?x=%",
    ),
    *(
        "/async?LAST=-1&PHASE=<x>",
        "/async?LAST=99999999999999999999",
        "/async?AFTER=never",
        "/examples?x",
    ),
    *(
        "/%2e%2e/%2e%2e/etc/passwd",
        "/tap/tap/tap",
        "/;x=y",
        "/sync?%00",
        "/capabilities#x",
        "/.git/config",
    ),
)
_PARAMETERS = (
    *(
        ("LANG", "SQL"),
        ("LANG", "ADQL-9"),
        ("MAXREC", "-1"),
        ("MAXREC", "1e9"),
        ("MAXREC", "9" * 30),
    ),
    *(
        ("REQUEST", "getCapabilities"),
        ("FORMAT", "xls"),
        ("RESPONSEFORMAT", "../../x"),
        ("FORMAT", "\x00"),
    ),
    *(
        ("UPLOAD", "x"),
        ("UPLOAD", "x,param:y"),
        ("UPLOAD", "x,file:///etc/passwd"),
        ("UPLOAD", ";;;"),
    ),
    *(
        ("UPLOAD", "x,http://127.0.0.1:1/"),
        ("UPLOAD", "x,http://[::1"),
        ("UPLOAD", "x,ftp://here/y"),
    ),
    *(
        ("QUERY", "SELECT 2"),
        ("PHASE", "FLY"),
        ("DESTRUCTION", "soon"),
        ("EXECUTIONDURATION", "-9"),
    ),
    *(("RUNID", "x" * 9000), ("MAXREC", "\u0663"), ("FORMAT", "votable/" + "b" * 500)),
)


def broken_http(chance: Random) -> bytes:
    """Bytes that are no request, or hardly one."""
    head = [chance.choice(_LINES), *chance.choices(_HEADERS, k=chance.choice((0, 1, 1, 2, 3)))]
    if chance.random() < 0.3:
        head[0] = b"POST /tap/sync HTTP/1.1"
    data = chance.choice((b"\r\n", b"\r\n", b"\n", b"\r")).join(head) + b"\r\n\r\n"
    data += chance.choice(_BODIES)
    if chance.random() < 0.2:
        spoilt = bytearray(data)
        for _ in range(chance.randrange(1, 9)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        data = bytes(spoilt)
    return data


def odd_request(chance: Random, query: str) -> bytes:
    """A sound request for something that is not there, or in a way that is none."""
    if chance.random() < 0.4:
        method = chance.choice(("GET", "GET", "POST", "DELETE", "PUT", "HEAD", "PATCH"))
        path = quote(chance.choice(_PATHS), safe='/%?&=;#<>"')
        return _request(method, path if path.startswith("//") else "/tap" + path)
    given = [
        ("LANG", "ADQL"),
        ("QUERY", query),
        *chance.choices(_PARAMETERS, k=chance.choice((1, 2))),
    ]
    chance.shuffle(given)
    pairs = "&".join(f"{quote(a)}={quote(b, errors='replace')}" for a, b in given)
    where = chance.choice(("/tap/sync", "/tap/sync", "/tap/async"))
    if chance.random() < 0.5:
        return _request("GET", f"{where}?{pairs}")
    return _request("POST", where, pairs.encode(), "application/x-www-form-urlencoded")


def _request(method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: here", "Connection: close"]
    if method in ("POST", "PUT", "PATCH"):
        head += [f"Content-Length: {len(body)}"]
    if kind:
        head += [f"Content-Type: {kind}"]
    return "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + body


def form_of(query: str, rows: int = 5) -> bytes:
    """A query as a sound request, as CSV of so many rows at most."""
    pairs = f"LANG=ADQL&FORMAT=csv&MAXREC={rows}&QUERY={quote(query, errors='replace')}"
    return _request("POST", "/tap/sync", pairs.encode(), "application/x-www-form-urlencoded")


_VOTABLE = """<?xml version="1.0"?>{doctype}
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE{rows}>
<FIELD name="{name}" datatype="{kind}" arraysize="{size}"/><FIELD name="ra" datatype="double"/>
<DATA>{data}</DATA></TABLE></RESOURCE></VOTABLE>"""
_BOMB = (
    "<!DOCTYPE x [<!ENTITY a '"
    + "y" * 1000
    + "'>"
    + "".join(f"<!ENTITY {b} '{f'&{a};' * 50}'>" for a, b in zip("abcdef", "bcdefg", strict=True))
    + "]>"
)
_READS = "<!DOCTYPE x [<!ENTITY g SYSTEM 'file:///etc/passwd'>]>"
_KINDS = ("int", "char", "unicodeChar", "double", "boolean", "bit", "doubleComplex", "x", "short")
_SIZES = ("1", "*", "999999999", "-1", "3x*", "999999x999999x999999", "x", "", "2x2")
_NAMES = ("a", "", "a b", "ra", "&lt;", "SELECT", "x" * 3000, "\u00e9", "a&quot;; DROP TABLE x; --")


def broken_upload(chance: Random) -> bytes:
    """A query of an uploaded table that is no VOTable, or hardly one."""
    rows = "".join(f"<TR><TD>{n}</TD><TD>{n}.5</TD></TR>" for n in range(chance.choice((0, 1, 9))))
    stream = base64.b64encode(chance.randbytes(chance.choice((0, 7, 400)))).decode()
    text = _VOTABLE.format(
        doctype=chance.choice(("", "", "", _BOMB, _READS)),
        rows=chance.choice(("", ' nrows="999999999999"', ' nrows="x"')),
        name=chance.choice(_NAMES),
        kind=chance.choice(_KINDS),
        size=chance.choice(_SIZES),
        data=chance.choice(
            (
                f"<TABLEDATA>{rows}</TABLEDATA>",
                f"<TABLEDATA>{rows}<TR><TD>&g;</TD></TR></TABLEDATA>",
                f"<BINARY2><STREAM encoding='base64'>{stream}</STREAM></BINARY2>",
                f"<BINARY><STREAM encoding='base64'>{stream}</STREAM></BINARY>",
                "<BINARY2><STREAM href='file:///etc/passwd'/></BINARY2>",
                "<FITS><STREAM encoding='base64'>AAAA</STREAM></FITS>",
                "<TABLEDATA>" + "<TR>" * 20_000,
            )
        ),
    )
    data = text.encode()
    way = chance.randrange(8)
    if way == 0:
        data = data[: chance.randrange(len(data))]
    elif way == 1:
        data = gzip.compress(data + b" " * 30_000_000, mtime=0)
    elif way == 2:
        spoilt = bytearray(data)
        for _ in range(chance.randrange(1, 20)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        data = bytes(spoilt)
    elif way == 3:
        data = chance.choice(
            (b"", b"\x00" * 9000, b"SIMPLE  =", b"a,b\n1,2\n", b"PAR1", b"<" * 9000)
        )
    query = chance.choice(("SELECT * FROM TAP_UPLOAD.mine", "SELECT ra FROM TAP_UPLOAD.mine"))
    mark = "zoolens-mark"
    parts = [
        ("LANG", "ADQL"),
        ("QUERY", query),
        ("FORMAT", chance.choice(("csv", "votable", "fits"))),
    ]
    parts.append(
        ("UPLOAD", chance.choice(("mine,param:t", "mine,param:t", "mine,param:t;mine,param:t")))
    )
    body = b"".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in parts
    )
    named = chance.choice(("t.vot", "../../t", "\u00e9", "x" * 2000))
    body += (
        f'--{mark}\r\nContent-Disposition: form-data; name="t"; filename="{named}"\r\n\r\n'.encode()
    )
    body += data + f"\r\n--{mark}{chance.choice(('--', '--', ''))}\r\n".encode()
    return _request("POST", "/tap/sync", body, f"multipart/form-data; boundary={mark}")
