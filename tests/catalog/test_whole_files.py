"""A file is the old one or the new one, and nothing is left beside it."""

from pathlib import Path

import pytest

from catalog.errors import CatalogError
from catalog.whole_files import make_folder, replacing


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
