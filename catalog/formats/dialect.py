"""How a text table is written: what stands between its fields, and where its header is.

It is read from the header line alone: commas, tabs, semicolons, bars or single spaces. ECSV (the
Enhanced Character Separated Values of astropy) begins with comments that say so.
"""

import csv
import gzip
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from zoolens.catalog.errors import TableRefused

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".ecsv")
_LONGEST_HEADER = 1 << 20  # bytes; a longer one may be a decompression bomb
_SEPARATORS = (",", "\t", ";", "|")  # of as many, the first
_WORDS = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar", " ": "a space"}
_ECSV = "# %ECSV"
_ECSV_SEPARATOR = re.compile(r"^# delimiter:\s*(['\"]?)(.)\1\s*$", re.MULTILINE)
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    separator: between fields; comments: lines before the header; names: of the columns.
    """

    separator: str
    comments: int
    names: tuple[str, ...]

    @property
    def between(self) -> str:
        """The separator in words."""
        return _WORDS.get(self.separator, repr(self.separator))


def dialect_of(path: Path) -> Dialect:
    """How a text table is written, by its first lines.

    Raises `TableRefused` if it has no header, or one that cannot be told into columns.
    """
    with opened(path) as file:
        start = file.read(_LONGEST_HEADER).decode("utf-8-sig", errors="replace")
    whole = len(start) < _LONGEST_HEADER
    comments = 0
    stated = None
    if start.startswith(_ECSV):
        preamble = re.match(r"(?:#[^\n]*\n)*", start)
        said = preamble.group() if preamble else ""
        comments, start = said.count("\n"), start[len(said) :]
        found = _ECSV_SEPARATOR.search(said.replace("\r", ""))
        stated = found.group(2) if found else " "  # as ECSV has it unless said
    text = start.lstrip("\r\n")
    if not text.strip():
        raise TableRefused(f"{path} is empty")
    if text.startswith("#"):
        raise TableRefused(
            f"{path} begins with a comment, {text.splitlines()[0]!r:.40}: remove the lines before "
            "its header, or the # before it"
        )
    separator = stated or _separator(path, text)
    return Dialect(separator, comments, _names(path, text, separator, whole=whole))


def opened(path: Path) -> BinaryIO:
    """The content of a file, decompressed if its name says that it is compressed."""
    return cast(BinaryIO, gzip.open(path)) if is_packed(path) else path.open("rb")


def is_packed(path: Path) -> bool:
    """Whether a file is compressed, by its name."""
    return path.name.lower().endswith(".gz")


def is_text(name: str) -> bool:
    """Whether a file of that name, in lower case, is a text table."""
    return name.removesuffix(".gz").endswith(TEXT_SUFFIXES)


def _separator(path: Path, text: str) -> str:
    """What most often stands between quoted or plain names of the header line."""
    line = _QUOTED.sub("", text.splitlines()[0]).strip(" ")
    best = max(_SEPARATORS, key=line.count)
    if line.count(best):
        return best
    if re.search(r"\S {2,}\S", line):
        raise TableRefused(
            f"{path} has columns of fixed width, with several spaces between their names; save it "
            "as CSV, which has commas"
        )
    return " " if " " in line else ","


def _names(path: Path, text: str, separator: str, *, whole: bool) -> tuple[str, ...]:
    rest = io.StringIO(text, newline="")
    try:
        header = next(csv.reader(rest, delimiter=separator))
        whole = whole or rest.read(1) != ""
    except csv.Error as error:  # a name of more than 131,072 letters
        if "\n" in text or "\r" in text:
            raise TableRefused(f"{path} has no header that can be read: {error}") from None
        whole = False
    if not whole:
        raise TableRefused(f"{path} has no end of a line in its first million letters")
    if any("\ufffd" in name for name in header):
        raise TableRefused(f"{path} cannot be read as a table: its header is not UTF-8 text")
    return tuple(header)
