import os
from pathlib import Path

import pytest

from tests.made.images import A, B, C, folder, keys, parquet_images, picture, read_all, reasons, tar
from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import list_images


class TestFolders:
    def test_flat_and_one_level_deep(self, tmp_path: Path) -> None:
        root = folder(
            tmp_path / "images",
            {f"{A}.png": picture(1), f"J003/{B}.JPG": b"x", f"J010/{C}.FITS": b"y"},
        )
        listing = list_images(root)
        assert keys(listing) == [A, B, C]
        assert all(Path(entry.source).is_absolute() for entry in listing.entries)
        assert sorted(read_all(listing)) == sorted([picture(1), b"x", b"y"])
        assert listing.rejects == []

    def test_what_is_no_image_is_named(self, tmp_path: Path) -> None:
        root = folder(
            tmp_path / "images",
            {f"{A}.png": b"", "notes.txt": b"", ".DS_Store": b"", "a/b/c.png": b"", "README": b""},
        )
        listing = list_images(root)
        assert keys(listing) == [A]
        assert dict(reasons(listing)) == {
            ".DS_Store": "not an image: a hidden file",
            "notes.txt": "not an image: suffix .txt",
            "README": "not an image: suffix missing",
            "b": "not an image: a folder too deep to be looked into",
        }

    def test_links_are_followed(self, tmp_path: Path) -> None:
        real = folder(tmp_path / "real", {"x.png": picture(3)})
        links = folder(tmp_path / "links", {})
        (links / f"{A}.png").symlink_to(real / "x.png")
        (links / "J00").symlink_to(real)
        (links / f"{B}.png").symlink_to(tmp_path / "nowhere")
        listing = list_images(links)
        assert sorted(keys(listing)) == [A, B, "x"]

    def test_a_name_that_is_not_utf8(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {f"{A}.png": b""})
        Path(os.fsdecode(os.fsencode(root) + b"/J\xff.png")).write_bytes(b"")
        listing = list_images(root)
        assert keys(listing) == [A]
        assert [reject.reason for reject in listing.rejects] == [
            "not an image: its name is not UTF-8"
        ]

    @pytest.mark.parametrize("contents", [{}, {"notes.txt": b""}, {"a/b/c.png": b""}])
    def test_without_images(self, tmp_path: Path, contents: dict[str, bytes]) -> None:
        with pytest.raises(CatalogError, match="no images in"):
            list_images(folder(tmp_path / "images", contents))

    def test_of_several_kinds(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {f"{A}.png": picture(1)})
        tar(root / "b.tar", {f"{B}.png": picture(2)})
        parquet_images(root / "c.parquet", [picture(3)], id=[C])
        listing = list_images(root)
        assert keys(listing) == [A, B, C]
        assert read_all(listing) == [picture(1), picture(2), picture(3)]

    def test_fits_by_any_of_its_suffixes(self, tmp_path: Path) -> None:
        suffixes = (".fits", ".FIT", ".fts", ".fits.gz", ".Fits.Fz", ".fit.gz", ".fz", ".gz")
        root = folder(tmp_path / "images", {f"J{i}.5{s}": b"" for i, s in enumerate(suffixes)})
        listing = list_images(root)
        assert keys(listing) == [f"J{i}.5" for i in range(6)]
        assert [reason for _, reason in reasons(listing)] == [
            "not an image: suffix .fz",
            "not an image: suffix .gz",
        ]

    def test_every_item_has_an_outcome(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {f"{A}.png": b"", ".git/x.png": b"", "J0/._a.png": b""})
        (root / "empty").mkdir()
        (root / "folder.png").mkdir()
        (root / "itself").symlink_to(root)
        listing = list_images(root)
        assert keys(listing) == [A]
        assert dict(reasons(listing)) == {
            ".git": "not an image: a hidden folder",
            "._a.png": "not an image: a hidden file",
            "empty": "not an image: an empty folder",
            "folder.png": "not an image: a folder is there, not a file",
            "itself": "not an image: a link to the folder that it is in",
        }

    @pytest.mark.parametrize("name", ["absent", "image.png", "votes.csv"])
    def test_what_is_no_source(self, tmp_path: Path, name: str) -> None:
        folder(tmp_path, {"image.png": b"", "votes.csv": b""})
        with pytest.raises(CatalogError, match="give a folder, a"):
            list_images(tmp_path / name)


class TestDigest:
    def test_changes_with_any_file(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {f"{A}.png": b"1", f"{B}.png": b"2"})
        first = list_images(root).digest
        assert list_images(root).digest == first
        (root / f"{A}.png").write_bytes(b"12")
        second = list_images(root).digest
        os.utime(root / f"{B}.png", (1, 1))
        third = list_images(root).digest
        root.rename(tmp_path / "moved")
        fourth = list_images(tmp_path / "moved").digest
        assert len({first, second, third, fourth}) == 4


class TestDamagedSources:
    def test_a_loop_of_links_is_one_reject(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {f"{A}.png": picture(1)})
        (root / "loop.png").symlink_to(root / "loop.png")
        listing = list_images(root)
        assert keys(listing) == [A, "loop"]
        with ImageReader() as reader, pytest.raises(ImageRefused, match="image"):
            reader.inspect(listing.entries[1].source)

    def test_a_bad_shard_leaves_the_others(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "shards", {})
        parquet_images(root / "a.parquet", [picture(1)], id=["J1"])
        parquet_images(root / "b.parquet", [picture(2)])
        parquet_images(root / "c.parquet", [picture(3)], id=[1.5])
        listing = list_images(root)
        assert keys(listing) == ["J1"]
        assert [key for key, _ in reasons(listing)] == ["b.parquet", "c.parquet"]
