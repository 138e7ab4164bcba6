"""Files beside the catalogue whose checksums the ledger holds.

A file is read from end to end to be checked, unless its size and time of change are
still those that were noted when it was written.
"""

import hashlib
import json
from collections.abc import Collection
from pathlib import Path

from catalog.store import Store


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, read a part at a time. Raises `OSError`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none to read."""
    try:
        return sha256_of(path)
    except OSError:
        return None


def stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change of a file; None where there is none."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_size, facts.st_mtime_ns


def note(store: Store, path: Path, sha256: str) -> None:
    """Remember what a file was like when it had a checksum."""
    noted = json.dumps({"sha256": sha256, "stamp": stamp(path)})
    with store.transaction():
        store.execute("DELETE FROM setting WHERE name = ?", [_name(path)])
        store.execute("INSERT INTO setting VALUES (?, ?)", [_name(path), noted])


def is_sound(store: Store, path: Path, sums: Collection[str]) -> bool:
    """Whether a file is there and has one of some checksums."""
    found = stamp(path)
    if found is None:
        return False
    noted = json.loads(
        store.value("SELECT value FROM setting WHERE name = ?", [_name(path)]) or "{}"
    )
    if noted.get("stamp") == [*found] and noted.get("sha256") in sums:
        return True
    return checksum(path) in sums


def _name(path: Path) -> str:
    # not the catalogue's own name, under which it may be copied
    return f"file {''.join(path.suffixes[-2:])}"
