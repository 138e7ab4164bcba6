"""The folder of parts: one process's, and gone when it is empty."""

import os
from pathlib import Path

import pytest

from zoolens.catalog.cluster.folder import check_room, parts_folder, tell_left
from zoolens.catalog.errors import CatalogError


def test_it_is_there_with_a_file_to_find_and_gone_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "parts"
    with parts_folder(folder) as needed:
        assert needed.mark is not None
        assert Path(needed.mark).parent == folder
        assert Path(needed.mark).read_text() == needed.text
    assert not folder.exists()


def test_what_is_whole_stays_and_what_is_not_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "1-a.arrow").touch()
    (tmp_path / ".1-a.arrow.00.part").touch()
    (tmp_path / ".seen-0").touch()
    with pytest.raises(KeyError), parts_folder(tmp_path):
        raise KeyError
    assert [file.name for file in tmp_path.iterdir()] == ["1-a.arrow"]
    tell_left(tmp_path)
    assert f"1 part file of other runs stays in {tmp_path}; delete" in capsys.readouterr().err


def test_two_at_once_are_told(tmp_path: Path) -> None:
    with parts_folder(tmp_path / "parts") as needed:
        with (
            pytest.raises(CatalogError, match="another process is at"),
            parts_folder(tmp_path / "parts"),
        ):
            pass
        assert needed.mark is not None
        assert Path(needed.mark).exists()


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CatalogError, match="file"), parts_folder(tmp_path / "file"):
        pass


def test_too_little_room_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_room(tmp_path, 8, 1000)
    with pytest.raises(CatalogError, match=r"has room for .* MB, and parts may take 8,000,000,000"):
        check_room(tmp_path, 8, 10**15)
    few = os.statvfs_result((4096, 4096, 10**9, 10**9, 10**9, 100, 15, 15, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: few)
    with pytest.raises(CatalogError, match="room for 15 files, and 16 may be there"):
        check_room(tmp_path, 8, 1000)
    uncounted = os.statvfs_result((4096, 4096, 10**9, 10**9, 10**9, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: uncounted)
    check_room(tmp_path, 8, 1000)
