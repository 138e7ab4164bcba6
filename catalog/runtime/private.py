"""Text that may be shown to strangers: without the places where somebody keeps what."""

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# What lies in a folder of somebody's.
_BELOW = re.compile(r"(<home>|<here>)/[^\s'\"()\[\]{}:,;=]+")
# An absolute path, however deep, without the quotes, brackets or points around it. Not what
# follows a letter or another slash: 5/7, or the address of a page.
_ABSOLUTE = re.compile(r"(?<![\w.~/:>])/(?:[^\s'\"()\[\]{}:,;=]+)")


def without_places(found: Any, called: Mapping[Path, str]) -> Any:
    """The same text, list or mapping, without absolute paths, home folder or current folder.

    called: what stands for some paths, such as that of a catalogue. Names of files are left out as
    well; a relative path is left as it was typed.
    """
    if isinstance(found, Mapping):
        return {name: without_places(value, called) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [without_places(value, called) for value in found]
    if not isinstance(found, str):
        return found
    for place, word in _words(called):
        # what follows a point is another file's suffix, such as .wal, or nothing
        found = re.sub(rf"(?<![\w.]){re.escape(place)}(?![\w-])", word, found)
    return _ABSOLUTE.sub("<path>", _BELOW.sub(r"\1", found))


def _words(called: Mapping[Path, str]) -> list[tuple[str, str]]:
    """What stands for which place, longer ones first: they may lie in the others."""
    places: dict[str, str] = {
        os.path.expanduser("~"): "<home>",
        tempfile.gettempdir(): "<temporary>",
        sys.prefix: "<python>",
        sys.base_prefix: "<python>",
    }
    with suppress(FileNotFoundError):  # it was removed under this process
        places[os.getcwd()] = "<here>"
    for path, word in called.items():
        places[str(path)] = word
        with suppress(FileNotFoundError):
            places |= {os.path.abspath(path): word, str(path.resolve()): word}
    # one letter, such as / or ., would stand in many words
    return sorted(
        ((place, word) for place, word in places.items() if len(place) > 1),
        key=lambda pair: -len(pair[0]),
    )
