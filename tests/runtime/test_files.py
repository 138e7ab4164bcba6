"""A file or folder is the old one or the new one, and nothing is left beside it."""

import os
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime import files
from zoolens.catalog.runtime.files import (
    check_file,
    checksum,
    make_folder,
    part_checksums,
    replacing,
    replacing_folder,
    sha256_of,
    stamp,
    text_of,
)


def test_the_new_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def stop_half_way() -> None:
        with replacing(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises(error):
        stop_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_the_users_to_know(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "no folder" / "file.txt", tmp_path / "file" / "file.txt"):
        with pytest.raises(CatalogError, match="could not be written"), replacing(path) as part:
            part.write_text("new")
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(CatalogError, match="could not be written"),
        replacing(tmp_path / "folder") as part,
    ):
        part.write_text("new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_folders_are_made_unless_something_is_in_the_way(tmp_path: Path) -> None:
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(CatalogError, match="cannot be made"):
        make_folder(tmp_path / "file" / "c")


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "above" / "out"
    with replacing_folder(path) as part:
        (part / "inner").mkdir()
        (part / "inner" / "file").write_text("new")
        assert not path.exists()
        assert part.parent == path.parent
    assert (path / "inner" / "file").read_text() == "new"
    assert [*path.parent.iterdir()] == [path]
    assert path.stat().st_mode == path.parent.stat().st_mode  # as folders are made here


def test_an_empty_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with replacing_folder(tmp_path / "link") as part:
        (part / "file").write_text("new")
    assert (tmp_path / "out" / "file").read_text() == "new"
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with replacing_folder(Path(".")) as part:
        (part / "file").write_text("new")
    assert (tmp_path / "here" / "file").read_text() == "new"


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("old")
    for path in (tmp_path / "file", tmp_path / "full"):
        with (
            pytest.raises(CatalogError, match=f"{path.name} exists; choose another folder"),
            replacing_folder(path),
        ):
            pytest.fail("nothing is to be written")  # pragma: no cover
    # what came while the new folder was written stays, too

    def write_while_another_does() -> None:
        with replacing_folder(tmp_path / "out") as part:
            (part / "file").write_text("new")
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "theirs").write_text("old")

    with pytest.raises(CatalogError, match="could not be written"):
        write_while_another_does()
    assert (tmp_path / "full" / "file").read_text() == "old"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full", "out"]


def test_a_folder_in_a_file_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(CatalogError, match="could not be written"),
        replacing_folder(tmp_path / "file" / "out"),
    ):
        pytest.fail("nothing is to be written")  # pragma: no cover


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_no_folder(tmp_path: Path, error: type[BaseException]) -> None:
    def stop_half_way() -> None:
        with replacing_folder(tmp_path / "out") as part:
            (part / "file").write_text("half")
            raise error

    with pytest.raises(error):
        stop_half_way()
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("kind", ["replacing", "replacing_folder"])
def test_what_a_killed_run_left_is_removed_and_what_another_writes_is_not(
    tmp_path: Path, kind: str
) -> None:
    script = f"""
import sys, time
from pathlib import Path
from zoolens.catalog.runtime.files import {kind}
with {kind}(Path(sys.argv[1])) as part:
    (part / "file" if part.is_dir() else part).write_text("half")
    print(part.name, flush=True)
    time.sleep(60)
"""
    begin = replacing if kind == "replacing" else replacing_folder
    command = [sys.executable, "-c", script, str(tmp_path / "out")]
    keep = [tmp_path / name for name in (".out.notours.part.txt", ".out.txt.0123abcd.part")]
    for file in keep:
        file.write_text("theirs")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            half = tmp_path / other.stdout.readline().strip()
            with begin(tmp_path / "out") as part:
                assert half.exists()
                assert part != half
        finally:
            os.kill(other.pid, signal.SIGKILL)
    assert half.exists()
    if begin is replacing_folder:
        assert (half / "file").read_text() == "half"
    with begin(tmp_path / "out"):
        assert not half.exists()
    assert sorted(tmp_path.iterdir()) == sorted([*keep, tmp_path / "out"])


def test_what_another_machine_began_is_left_for_a_day(tmp_path: Path) -> None:
    theirs = tmp_path / ".out.0123456789abcdef.part"
    theirs.write_text("half")
    nameless = tmp_path / ".out.4711.part"
    nameless.write_text("half")
    with replacing(tmp_path / "out"):
        assert theirs.exists()
        assert nameless.exists()
    day_ago = time.time() - 86_500
    os.utime(theirs, (day_ago, day_ago))
    with replacing(tmp_path / "out"):
        assert not theirs.exists()
        assert nameless.exists()


def test_what_was_big_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "_host", lambda: "01234567")
    left = tmp_path / ".out.0123456789abcdef.part"
    for size in (1000, 200_000_000):
        with left.open("wb") as file:
            file.truncate(size)
        with replacing(tmp_path / "out"):
            pass
    assert not left.exists()
    assert capsys.readouterr().err == (f"zoolens: removed {left}, 200 MB that a killed run left\n")


def test_within_a_new_folder_nothing_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else thousands of files in a folder would each list it."""
    looked: list[Path] = []
    monkeypatch.setattr(files, "_remove_abandoned", looked.append)
    with replacing_folder(tmp_path / "out") as part, replacing(part / "file") as file:
        file.write_text("new")
    assert looked == [tmp_path / "out"]


@pytest.fixture(params=["folder", "pipe", "socket", "device"])
def irregular(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Something that is no regular file; reading some of it would never end."""
    path = tmp_path / "it"
    if request.param == "folder":
        path.mkdir()
    elif request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    else:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
            yield path
        return
    yield path


def test_only_regular_files_are_read(irregular: Path) -> None:
    with pytest.raises(CatalogError, match=r"no table at .*: a \w+ is there, not a file"):
        check_file(irregular, "table")
    with pytest.raises(OSError, match="is there, not a file"):
        sha256_of(irregular)
    with pytest.raises(OSError, match="is there, not a file"):
        text_of(irregular)
    assert checksum(irregular) is None


def test_links_to_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("\ufeffabc", encoding="utf-8")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    check_file(tmp_path / "b", "table")
    assert text_of(tmp_path / "b") == "abc"
    with pytest.raises(OSError, match="more than 5 bytes"):
        text_of(tmp_path / "b", 5)
    for name in ("none", "a/b", "x" * 300, "a\0b"):
        with pytest.raises(CatalogError, match="no table at"):
            check_file(tmp_path / name, "table")


def test_checksums_of_parts_are_those_of_zlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.catalog.runtime.files._PART", 100)
    path, data = tmp_path / "a", bytes(range(250))
    path.write_bytes(data)
    expected = [zlib.crc32(data[at : at + 100]) for at in (0, 100, 200)]
    assert part_checksums(path, stamp(path)) == expected
    (tmp_path / "empty").touch()
    assert part_checksums(tmp_path / "empty", None) == []
    assert part_checksums(tmp_path / "none", None) is None
    assert part_checksums(tmp_path, None) is None
