"""What a table file says that its columns hold: units, UCDs, descriptions.

Parquet says it in its fields' metadata (`catalog.formats.columns`) or in the VOTable that the IVOA
note VOTable-in-Parquet 1.0 puts beside them; FITS in TUNITn, TUCDn, TCOMMn and the comment of
TTYPEn (FITS Standard 4.0, section 7.3). The words are others': what is no plain line is left out.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
from pyarrow import parquet

from zoolens.catalog.formats.columns import Meaning, meaning
from zoolens.catalog.formats.dialect import opened

_VOTABLE = b"IVOA.VOTable-Parquet.content"
_MOST_VOTABLE = 2**22  # bytes
_LONGEST = 500  # characters of a description
_UNIT = re.compile(r"[ -~]{1,60}")
_UCD = re.compile(r"[A-Za-z0-9.;:_-]{1,120}")
# CFITSIO's own comment of every column, astropy's is none
_NO_WORDS = re.compile(r"(label for (field|column)|name of (field|column)|data format)\b.*", re.I)


def stated_meanings(path: Path, schema: pa.Schema) -> dict[str, Meaning]:
    """What a table file says of its columns, by name; those of which it says nothing are absent.

    schema: its columns, as `catalog.formats.reading.TableFile` has them.
    """
    if path.name.lower().endswith((".fits", ".fits.gz", ".fit")):
        found = dict(_of_fits(path))
    else:
        found = {field.name: _of_field(field) for field in schema}
        if path.name.lower().endswith(".parquet"):
            silent = {name for name, said in found.items() if said == Meaning("")}
            found |= {name: said for name, said in _of_votable(path) if name in silent}
    plain = {name: _plain(said) for name, said in found.items() if name in schema.names}
    return {name: said for name, said in plain.items() if said != Meaning("")}


def _of_fits(path: Path) -> Iterator[tuple[str, Meaning]]:
    from zoolens.catalog.formats.fits_blocks import table_header

    with opened(path) as file:
        header = table_header(path, file)
    for n in range(1, int(header["TFIELDS"]) + 1):
        name = f"TTYPE{n}"
        if name in header:
            words = str(header.get(f"TCOMM{n}", "")) or str(header.comments[name])
            unit, ucd = (str(header.get(f"{key}{n}", "")) for key in ("TUNIT", "TUCD"))
            yield str(header[name]).strip(), Meaning(_NO_WORDS.sub("", words), unit, ucd)


def _of_field(field: pa.Field) -> Meaning:
    try:
        return meaning(field)
    except UnicodeDecodeError:
        return Meaning("")


def _of_votable(path: Path) -> Iterator[tuple[str, Meaning]]:
    """What the fields of a VOTable beside a Parquet file's columns say."""
    text = (parquet.read_metadata(path).metadata or {}).get(_VOTABLE, b"")
    if not text or len(text) > _MOST_VOTABLE or b"<!ENTITY" in text:
        return
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - bounded, and without entities
    except ElementTree.ParseError:
        return
    for field in root.iterfind(".//{*}FIELD"):
        words = field.findtext("{*}DESCRIPTION") or ""
        said = Meaning(words, field.get("unit", ""), field.get("ucd", ""))
        yield field.get("name", ""), said


def _plain(said: Meaning) -> Meaning:
    """Words that fit on a line, a unit and a UCD that are such."""
    words = " ".join("".join(c if c.isprintable() else " " for c in said.description).split())
    unit, ucd = said.unit.strip(), said.ucd.strip()
    return Meaning(
        words[:_LONGEST],
        unit if _UNIT.fullmatch(unit) else "",
        ucd if _UCD.fullmatch(ucd) else "",
    )
