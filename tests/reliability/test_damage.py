from pathlib import Path
from random import Random

import pytest

from reliability.damage import DAMAGES, spoil


@pytest.mark.parametrize("size", [1, 700, 20_000])
def test_a_damage_changes_the_bytes_and_not_the_time(tmp_path: Path, size: int) -> None:
    path, sound = tmp_path / "file", Random(size).randbytes(size)
    path.write_bytes(sound)
    time = path.stat().st_mtime_ns
    linked = tmp_path / "linked"
    linked.hardlink_to(path)
    ways = set()
    for number in range(100):
        path.unlink()
        path.hardlink_to(linked)
        ways.add(spoil(path, Random(number)))
        assert path.read_bytes() != sound
        assert path.stat().st_mtime_ns == time
        assert linked.read_bytes() == sound
    assert ways == {*DAMAGES} - ({"swapped pages"} if size < 2 * 4096 else set())


def test_the_same_numbers_do_the_same_damage(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        path = tmp_path / name
        path.write_bytes(bytes(range(256)) * 40)
        spoil(path, Random(5))
        found.append(path.read_bytes())
    assert found[0] == found[1]
