"""Files beside the catalogue: noted as they were written, and checked before they are used."""

import json
from collections.abc import Collection
from pathlib import Path

from zoolens.catalog.runtime.files import checksum, part_checksums, stamp
from zoolens.catalog.store.store import Store


def note_file(store: Store, path: Path, sha256: str) -> None:
    """Record a file beside the catalogue as it is: size, time of change, checksums."""
    noted = json.dumps(
        {"sha256": sha256, "stamp": stamp(path), "parts": part_checksums(path, stamp(path))}
    )
    with store.transaction():
        store.execute("DELETE FROM setting WHERE name = ?", [_setting(path)])
        store.execute("INSERT INTO setting VALUES (?, ?)", [_setting(path), noted])


def file_is_sound(store: Store, path: Path, sums: Collection[str]) -> bool:
    """Whether a file beside the catalogue exists and has one of the checksums `sums`.

    It is read from end to end: if its size and time of change are still those that were noted
    when it was written, once in this process, and for checksums that are fast, since bytes can
    rot without a change of either.
    """
    found = stamp(path)
    if found is None:
        return False
    noted = store.noted(_setting(path))
    if noted.get("stamp") == [*found] and noted.get("sha256") in sums and noted.get("parts"):
        return part_checksums(path, found) == noted["parts"]
    return checksum(path) in sums


def _setting(path: Path) -> str:
    # without the catalogue's name, which changes if it is copied
    return f"file {''.join(path.suffixes[-2:])}"
