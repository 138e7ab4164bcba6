import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.made.images import folder, picture, tar
from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import ImageListing, list_images, list_stated, pair

A, B, C = "J002658.19-014709.9", "J003937.09-032825.0", "J010713.98+004733.7"


def keys(listing: ImageListing) -> list[str]:
    return [entry.key for entry in listing.entries]


def reasons(listing: ImageListing) -> list[tuple[str | None, str]]:
    return [(reject.key, reject.reason) for reject in listing.rejects]


def read_all(listing: ImageListing) -> list[bytes]:
    with ImageReader() as reader:
        return [reader.read(entry.source, entry.member) for entry in listing.entries]


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


class TestTar:
    def test_members_are_read_without_unpacking(self, tmp_path: Path) -> None:
        contents = {f"{A}.png": picture(1), f"{A}.json": b"{}", f"deep/er/{B}.jpg": b"2"}
        listing = list_images(tar(tmp_path / "shard.tar", contents))
        assert keys(listing) == [A, B]
        assert [entry.member for entry in listing.entries] == [f"{A}.png", f"deep/er/{B}.jpg"]
        assert read_all(listing) == [picture(1), b"2"]
        assert sorted(p.name for p in tmp_path.iterdir()) == ["shard.tar"]

    def test_a_folder_of_shards(self, tmp_path: Path) -> None:
        for i, name in enumerate((A, B, C)):
            tar(tmp_path / f"shard-{i}.tar", {f"{name}.png": picture(i)})
        listing = list_images(tmp_path)
        assert keys(listing) == [A, B, C]
        assert read_all(listing) == [picture(0), picture(1), picture(2)]

    def test_more_shards_than_are_kept_open(self, tmp_path: Path) -> None:
        for i in range(20):
            tar(tmp_path / f"shard-{i:02d}.tar", {f"J{i}.png": bytes([i])})
        listing = list_images(tmp_path)
        with ImageReader() as reader:
            for entry in [*listing.entries, *reversed(listing.entries)]:
                assert reader.read(entry.source, entry.member)[0] == int(entry.key[1:])

    def test_hostile_members(self, tmp_path: Path) -> None:
        path = tar(tmp_path / "a.tar", {f"{A}.png": b"1", "../../up.png": b"2", "/etc/x.png": b"3"})
        with tarfile.open(path, "a") as archive:
            for name, kind in (("link.png", tarfile.SYMTYPE), ("hard.png", tarfile.LNKTYPE)):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = kind, "/etc/passwd"
                archive.addfile(info)
            device = tarfile.TarInfo("zero.png")
            device.type = tarfile.CHRTYPE
            archive.addfile(device)
            again = tarfile.TarInfo(f"{A}.png")
            again.size = 1
            archive.addfile(again, io.BytesIO(b"4"))
        listing = list_images(path)
        assert keys(listing) == [A]
        assert read_all(listing) == [b"1"]
        assert dict(reasons(listing)) == {
            "../../up.png": "unsafe member: leads elsewhere",
            "/etc/x.png": "unsafe member: leads elsewhere",
            "link.png": "unsafe member: no plain file",
            "hard.png": "unsafe member: no plain file",
            "zero.png": "unsafe member: no plain file",
            f"{A}.png": "second image: repeated name",
        }
        with ImageReader() as reader, pytest.raises(ImageRefused, match="no member link"):
            reader.read(str(path), "link.png")

    def test_a_member_that_claims_to_be_huge_or_negative(self, tmp_path: Path) -> None:
        path = tar(tmp_path / "a.tar", {f"{A}.png": b"1"})
        for size, words in ((10**9, "too large"), (10**15, "too large"), (-1024, None)):
            data = bytearray(path.read_bytes())
            field = size.to_bytes(11, "big", signed=True)
            data[124:136] = (b"\xff" if size < 0 else b"\x80") + field
            data[148:156] = b" " * 8
            data[148:156] = b"%06o\0 " % sum(data[:512])
            (tmp_path / "b.tar").write_bytes(data)
            if words is None:
                with pytest.raises(CatalogError, match="negative size"):
                    list_images(tmp_path / "b.tar")
            else:
                listing = list_images(tmp_path / "b.tar")
                with pytest.raises(ImageRefused, match=words):
                    read_all(listing)

    def test_a_truncated_shard_gives_what_it_has(self, tmp_path: Path) -> None:
        path = tar(tmp_path / "a.tar", {f"{A}.png": picture(1), f"{B}.png": picture(2)})
        path.write_bytes(path.read_bytes()[:4000])
        listing = list_images(path)
        assert keys(listing) == [A, B]
        assert reasons(listing) == [("a.tar", "unreadable tar: unexpected end of data")]
        with ImageReader() as reader:
            first, second = listing.entries
            assert reader.read(first.source, first.member) == picture(1)
            with pytest.raises(ImageRefused, match="truncated image"):
                reader.read(second.source, second.member)

    def test_what_is_no_tar_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "bad.tar").write_bytes(b"no tar")
        with pytest.raises(CatalogError, match=r"no images in .*unreadable tar"):
            list_images(tmp_path / "bad.tar")
        tar(tmp_path / "good.tar", {f"{A}.png": b"1"})
        listing = list_images(tmp_path)
        assert keys(listing) == [A]
        assert [key for key, _ in reasons(listing)] == ["bad.tar"]


def table(path: Path, images: Sequence[object], **columns: Sequence[object]) -> Path:
    rows = {"image": list(images), **{name: list(column) for name, column in columns.items()}}
    parquet.write_table(pa.table(rows), path, row_group_size=2)
    return path


class TestParquet:
    @pytest.mark.parametrize("column", ["iauname", "id_str", "id"])
    @pytest.mark.parametrize("struct", [True, False])
    def test_image_bytes_with_an_identifier(
        self, tmp_path: Path, column: str, struct: bool
    ) -> None:
        data = [picture(i) for i in range(5)]
        images = [{"bytes": d, "path": "x.png"} for d in data] if struct else data
        names = [f"J{i}.5" for i in range(5)]
        listing = list_images(table(tmp_path / "a.parquet", images, **{column: names}))
        assert keys(listing) == names
        assert read_all(listing) == data
        with ImageReader() as reader:  # and in any order
            for i in (4, 0, 3, 1, 2):
                entry = listing.entries[i]
                assert reader.read(entry.source, entry.member) == data[i]

    def test_integers_as_identifiers(self, tmp_path: Path) -> None:
        path = table(tmp_path / "a.parquet", [b"1"], id=[8647474690312307154])
        assert keys(list_images(path)) == ["8647474690312307154"]

    def test_names_from_paths(self, tmp_path: Path) -> None:
        images = [{"bytes": b"1", "path": f"J002/{A}.jpg"}, {"bytes": b"2", "path": None}]
        listing = list_images(table(tmp_path / "a.parquet", images))
        assert keys(listing) == [A]
        assert reasons(listing) == [("1", "missing identifier: the image has no name")]

    def test_rows_without_bytes(self, tmp_path: Path) -> None:
        images = [{"bytes": None, "path": f"{A}.png"}, {"bytes": b"2", "path": f"{B}.png"}]
        listing = list_images(table(tmp_path / "a.parquet", images))
        with ImageReader() as reader, pytest.raises(ImageRefused, match="no bytes in the table"):
            reader.read(listing.entries[0].source, listing.entries[0].member)

    def test_a_folder_as_on_the_hub(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "README.md").write_text("")
        for i, name in enumerate((A, B)):
            table(tmp_path / "data" / f"train-{i}.parquet", [picture(i)], id_str=[name])
        listing = list_images(tmp_path)
        assert keys(listing) == [A, B]
        assert read_all(listing) == [picture(0), picture(1)]

    @pytest.mark.parametrize(
        ("columns", "words"),
        [
            ({"picture": [b"1"], "id": ["J1"]}, "no one column 'image' of image bytes"),
            ({"image": ["text"], "id": ["J1"]}, "no one column 'image' of image bytes"),
            ({"image": [b"1"], "name": ["J1"]}, "does not say which galaxy"),
        ],
    )
    def test_other_columns(
        self, tmp_path: Path, columns: dict[str, list[object]], words: str
    ) -> None:
        parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
        with pytest.raises(CatalogError, match=words):
            list_images(tmp_path / "a.parquet")

    def test_a_damaged_file_among_good_ones(self, tmp_path: Path) -> None:
        table(tmp_path / "a.parquet", [b"1"], id=["J1"])
        (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more PAR1")
        listing = list_images(tmp_path)
        assert keys(listing) == ["J1"]
        assert [key for key, _ in reasons(listing)] == ["b.parquet"]


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
        assert reject == (str(tmp_path / "votes.csv"), 2, B, "missing image: file_loc is empty")


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
    def test_a_tar_damaged_in_the_middle_says_so(self, tmp_path: Path) -> None:
        names = [f"J{i}.png" for i in range(6)]
        path = tar(tmp_path / "shard.tar", {name: picture(i) for i, name in enumerate(names)})
        with tarfile.open(path) as archive:
            header = archive.getmember("J3.png").offset
        data = bytearray(path.read_bytes())
        data[header + 100 : header + 120] = b"?" * 20
        path.write_bytes(data)
        listing = list_images(path)
        assert keys(listing) == ["J0", "J1", "J2"]
        ((_, reason),) = reasons(listing)
        assert reason == (
            f"unreadable tar: damaged header at byte {header:,}; what follows it is not read"
        )

    def test_a_loop_of_links_is_one_reject(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {f"{A}.png": picture(1)})
        (root / "loop.png").symlink_to(root / "loop.png")
        listing = list_images(root)
        assert keys(listing) == [A, "loop"]
        with ImageReader() as reader, pytest.raises(ImageRefused, match="image"):
            reader.inspect(listing.entries[1].source)

    def test_a_bad_shard_leaves_the_others(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "shards", {})
        table(root / "a.parquet", [picture(1)], id=["J1"])
        table(root / "b.parquet", [picture(2)])
        table(root / "c.parquet", [picture(3)], id=[1.5])
        listing = list_images(root)
        assert keys(listing) == ["J1"]
        assert [key for key, _ in reasons(listing)] == ["b.parquet", "c.parquet"]

    def test_rejects_of_rows_name_row_and_galaxy(self, tmp_path: Path) -> None:
        path = table(tmp_path / "t.parquet", [picture(1)] * 3, id=["J1", "J9", "J1"])
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
