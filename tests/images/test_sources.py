import os
from pathlib import Path

import pytest

from tests.made.images import A, B, C, folder, keys, parquet_images, picture, read_all, reasons, tar
from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import list_images, list_stated, pair


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

    def test_of_two_kinds(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {"a.png": b"", "b.tar": b""})
        with pytest.raises(CatalogError, match="images and tar files; give a folder of one kind"):
            list_images(root)

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


class TestStatedFiles:
    def test_are_relative_to_the_table(self, tmp_path: Path) -> None:
        folder(tmp_path / "J000", {"a.png": b"1"})
        outside = tmp_path / "b.png"
        files = ["J000/a.png", None, str(outside)]
        listing = list_stated(tmp_path / "votes.csv", [A, B, C], [1, 2, 4], files)
        assert keys(listing) == [A, C]
        assert [entry.source for entry in listing.entries] == [
            str(tmp_path / "J000" / "a.png"),
            str(outside),
        ]
        (reject,) = listing.rejects
        assert reject == (
            str(tmp_path / "votes.csv"),
            2,
            B,
            "votes without image: file_loc is empty",
        )


class TestPairing:
    def test_strangers_and_seconds_are_refused(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {f"{A}.jpeg": b"1", f"{A}.png": b"2", f"{B}.png": b"3"})
        paired, rejects = pair(list_images(root), {A: 7, C: 8})
        assert [(galaxy, Path(entry.source).name) for galaxy, entry in paired] == [(7, f"{A}.jpeg")]
        assert [(r.key, r.reason.split(":")[0]) for r in rejects] == [
            (A, "second image"),
            (B, "image without votes"),
        ]

    def test_the_underscores_of_galaxy_datasets(self, tmp_path: Path) -> None:
        members = {f"{name.replace('.', '_')}.image.jpg": b"" for name in (A, B)}
        listing = list_images(tar(tmp_path / "a.tar", members))
        assert [galaxy for galaxy, _ in pair(listing, {A: 1, B: 2})[0]] == [1, 2]

    def test_but_not_where_they_can_mean_two(self, tmp_path: Path) -> None:
        listing = list_images(tar(tmp_path / "a.tar", {"J1_2_3.png": b"", "J4_5.png": b""}))
        paired, rejects = pair(listing, {"J1.2_3": 1, "J1_2.3": 2, "J4_5": 3, "J4.5": 4})
        assert [galaxy for galaxy, _ in paired] == [3]
        assert [r.key for r in rejects] == ["J1_2_3.png"]


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

    def test_rejects_of_rows_name_row_and_galaxy(self, tmp_path: Path) -> None:
        path = parquet_images(tmp_path / "t.parquet", [picture(1)] * 3, id=["J1", "J9", "J1"])
        paired, rejects = pair(list_images(path), {"J1": 0})
        assert len(paired) == 1
        assert [(r.row, r.key, r.reason.split(":")[0]) for r in rejects] == [
            (2, "J9", "image without votes"),
            (3, "J1", "second image"),
        ]
        assert "the first, row 1, is kept" in rejects[1].reason

    @pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\0b.png"])
    def test_names_that_no_file_has(self, tmp_path: Path, name: str) -> None:
        listing = list_stated(tmp_path / "v.csv", ["J1"], [1], [name])
        with ImageReader() as reader, pytest.raises(ImageRefused, match="image"):
            reader.inspect(listing.entries[0].source)
