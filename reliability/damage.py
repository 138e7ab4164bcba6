"""How files rot: bits, bytes, blocks, pages, ends."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

_PAGE = 4096


def _bit(data: bytearray, chance: Random) -> None:
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _byte(data: bytearray, chance: Random) -> None:
    place = chance.randrange(len(data))
    data[place] ^= chance.randrange(1, 256)


def _block(data: bytearray, chance: Random) -> None:
    place = chance.randrange(len(data))
    size = min(512, len(data) - place)
    data[place : place + size] = chance.randbytes(size)


def _zeroed(data: bytearray, chance: Random) -> None:
    place = chance.randrange(-(-len(data) // _PAGE)) * _PAGE
    size = min(_PAGE, len(data) - place)
    data[place : place + size] = bytes(size)


def _swapped(data: bytearray, chance: Random) -> None:
    pages = len(data) // _PAGE
    a, b = (chance.randrange(max(1, pages)) * _PAGE for _ in range(2))
    data[a : a + _PAGE], data[b : b + _PAGE] = data[b : b + _PAGE], data[a : a + _PAGE]


def _truncated(data: bytearray, chance: Random) -> None:
    del data[chance.randrange(len(data)) :]


def _lengthened(data: bytearray, chance: Random) -> None:
    data += chance.randbytes(chance.randrange(1, 2 * _PAGE))


DAMAGES: Mapping[str, Callable[[bytearray, Random], None]] = {
    "bit": _bit,
    "byte": _byte,
    "block": _block,
    "zeroed page": _zeroed,
    "swapped pages": _swapped,
    "truncated": _truncated,
    "lengthened": _lengthened,
}
# Single bits and bytes most: what checks find least.
_OFTEN = ("bit", "byte", "bit", "byte")


def spoil(path: Path, chance: Random) -> str:
    """Damage a file in a way drawn at random, its time of change left as it was.

    Returns the way.
    """
    facts = path.stat()
    before = path.read_bytes()
    data = bytearray(before)
    way = chance.choice([*DAMAGES, *_OFTEN])
    while bytes(data) == before and before:
        DAMAGES[way](data, chance)
        way = way if bytes(data) != before else "byte"  # equal pages, or one, cannot be swapped
    path.unlink()  # others may have the same file under another name
    path.write_bytes(data)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    return way
