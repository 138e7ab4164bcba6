"""Images in tar shards and Parquet files, hostile and damaged ones among them."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.made.images import A, B, C, keys, parquet_images, picture, read_all, reasons, tar
from tests.made.vote_tables import text_of_bytes
from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.images.containers import open_container
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import list_images


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

    @pytest.mark.parametrize("suffix", [".tar.gz", ".tgz", ".TAR.GZ"])
    def test_gzipped(self, tmp_path: Path, suffix: str) -> None:
        plain = tar(
            tmp_path / "a.tar", {f"{name}.png": picture(i) for i, name in enumerate((A, B))}
        )
        path = tmp_path / f"b{suffix}"
        path.write_bytes(gzip.compress(plain.read_bytes()))
        plain.unlink()
        listing = list_images(path)
        assert keys(listing) == [A, B]
        assert read_all(listing) == [picture(0), picture(1)]
        assert keys(list_images(tmp_path)) == [A, B]
        path.write_bytes(path.read_bytes()[:-900])
        listing = list_images(path)
        assert [key for key, _ in reasons(listing)] == [path.name]
        assert reasons(listing)[0][1].startswith("unreadable tar")

    def test_a_gzipped_tar_of_any_size_is_not_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("zoolens.catalog.images.containers._MOST_UNZIPPED", 10**6)
        (tmp_path / "a.tar.gz").write_bytes(gzip.compress(bytes(10**7)))
        with pytest.raises(CatalogError, match=r"no images in .*more than 1,000,000 bytes; gunzip"):
            list_images(tmp_path)

    def test_what_belongs_to_no_image_is_named(self, tmp_path: Path) -> None:
        names = (f"{A}.png", f"{A}.json", f"{A}.labels.cls", f"{B}.tif", "README", "J000/.png.x")
        listing = list_images(tar(tmp_path / "a.tar", dict.fromkeys(names, b"")))
        assert keys(listing) == [A]
        assert dict(reasons(listing)) == {
            f"{B}.tif": "not an image: suffix .tif",
            "README": "not an image: suffix missing",
            "J000/.png.x": "not an image: suffix .x",
        }

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


class TestParquet:
    @pytest.mark.parametrize("column", ["iauname", "id_str", "id"])
    @pytest.mark.parametrize("struct", [True, False])
    def test_image_bytes_with_an_identifier(
        self, tmp_path: Path, column: str, struct: bool
    ) -> None:
        data = [picture(i) for i in range(5)]
        images = [{"bytes": d, "path": "x.png"} for d in data] if struct else data
        names = [f"J{i}.5" for i in range(5)]
        listing = list_images(parquet_images(tmp_path / "a.parquet", images, **{column: names}))
        assert keys(listing) == names
        assert read_all(listing) == data
        with ImageReader() as reader:  # and in any order
            for i in (4, 0, 3, 1, 2):
                entry = listing.entries[i]
                assert reader.read(entry.source, entry.member) == data[i]

    def test_integers_as_identifiers(self, tmp_path: Path) -> None:
        path = parquet_images(tmp_path / "a.parquet", [b"1"], id=[8647474690312307154])
        assert keys(list_images(path)) == ["8647474690312307154"]

    def test_names_from_paths(self, tmp_path: Path) -> None:
        images = [{"bytes": b"1", "path": f"J002/{A}.jpg"}, {"bytes": b"2", "path": None}]
        listing = list_images(parquet_images(tmp_path / "a.parquet", images))
        assert keys(listing) == [A]
        assert reasons(listing) == [("1", "missing identifier: the image has no name")]

    def test_rows_without_bytes(self, tmp_path: Path) -> None:
        images = [{"bytes": None, "path": f"{A}.png"}, {"bytes": b"2", "path": f"{B}.png"}]
        listing = list_images(parquet_images(tmp_path / "a.parquet", images))
        with ImageReader() as reader, pytest.raises(ImageRefused, match="no bytes in the table"):
            reader.read(listing.entries[0].source, listing.entries[0].member)

    def test_a_folder_as_on_the_hub(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        (tmp_path / "README.md").write_text("")
        for i, name in enumerate((A, B)):
            parquet_images(tmp_path / "data" / f"train-{i}.parquet", [picture(i)], id_str=[name])
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
        parquet_images(tmp_path / "a.parquet", [b"1"], id=["J1"])
        (tmp_path / "b.parquet").write_bytes(b"PAR1 and no more PAR1")
        listing = list_images(tmp_path)
        assert keys(listing) == ["J1"]
        assert [key for key, _ in reasons(listing)] == ["b.parquet"]


@pytest.mark.parametrize("kind", ["tar", "parquet"])
def test_more_bytes_than_asked_for_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "tar":
        tar(path, {"0": b"12345"})
    else:
        parquet_images(path, [b"12345"], id=["J1"])
    container = open_container(path)
    assert container.read("0", 5) == b"12345"
    with pytest.raises(ImageRefused, match="too large an image: 5 bytes"):
        container.read("0", 4)
    with pytest.raises(ImageRefused, match=r"missing image: no (row|member) 1 in"):
        container.read("1", 5)
    container.close()


class TestHostile:
    def test_pipes_are_no_containers(self, tmp_path: Path) -> None:
        for name in ("a.tar", "b.tar"):
            os.mkfifo(tmp_path / name)
        with pytest.raises(CatalogError, match=r"no images in .*a pipe is there, not a file"):
            list_images(tmp_path)
        (tmp_path / "of").mkdir()
        os.mkfifo(tmp_path / "of" / "a.parquet")
        with pytest.raises(CatalogError, match=r"no images in .*a pipe is there, not a file"):
            list_images(tmp_path / "of")
        with pytest.raises(CatalogError, match="no source of images"):
            list_images(tmp_path / "a.tar")

    def test_a_pipe_among_images_is_one_reject(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / f"{A}.png")
        (tmp_path / f"{B}.png").write_bytes(picture(1))
        with ImageReader() as reader:
            for entry in list_images(tmp_path).entries:
                if entry.key == A:
                    with pytest.raises(ImageRefused, match=r"missing image: .*a pipe is there"):
                        reader.read(entry.source, entry.member)
                else:
                    assert reader.read(entry.source, entry.member) == picture(1)

    @pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
    def test_names_of_gigabytes_are_not_read(self, tmp_path: Path, kind: bytes) -> None:
        path = tar(tmp_path / "a.tar", {f"{A}.png": picture(1)})
        info = tarfile.TarInfo("long")
        info.type, info.size = kind, 2**40
        end = path.read_bytes().rstrip(b"\0")
        whole = end + bytes(-len(end) % tarfile.BLOCKSIZE)
        path.write_bytes(whole + info.tobuf(tarfile.GNU_FORMAT))
        with path.open("r+b") as file:
            file.truncate(2**41)  # of holes, which take no room
        listing = list_images(path)
        assert keys(listing) == [A]
        assert any("extended header of" in reason for _, reason in reasons(listing))

    @pytest.mark.parametrize("column", ["iauname", "path"])
    def test_names_that_are_not_utf8(self, tmp_path: Path, column: str) -> None:
        names = text_of_bytes(b"J1.png", b"J\xe9.png")
        image = [{"bytes": picture(1)}, {"bytes": picture(2)}]
        table = pa.table({"image": image})
        if column == "path":
            content = table["image"].combine_chunks().field("bytes")
            table = pa.table(
                {"image": pa.StructArray.from_arrays([content, names], ["bytes", "path"])}
            )
        else:
            table = table.append_column("iauname", names)
        parquet.write_table(table, tmp_path / "a.parquet")
        with pytest.raises(CatalogError, match=r"row 2, column .*: not UTF-8 text"):
            list_images(tmp_path / "a.parquet")

    @pytest.mark.slow
    def test_images_that_repeat_take_the_memory_of_one(self, tmp_path: Path) -> None:
        data = [b"x" * 1_000_000] * 300
        table = pa.table({"image": data, "iauname": [f"J{i}" for i in range(300)]})
        parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
        before = pa.total_allocated_bytes()
        container = open_container(tmp_path / "a.parquet")
        assert container.read("299", 2**20) == data[0]
        assert pa.total_allocated_bytes() - before < 2**26
        container.close()

    def test_too_many_and_too_large_groups_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        table = pa.table({"image": [b"x" * 100] * 20, "iauname": [f"J{i}" for i in range(20)]})
        path = tmp_path / "a.parquet"
        parquet.write_table(table, path, use_dictionary=False)
        monkeypatch.setattr("zoolens.catalog.images.containers._MOST_IMAGES", 19)
        with pytest.raises(CatalogError, match="20 images; a file may have 19"):
            open_container(path)
        monkeypatch.setattr("zoolens.catalog.images.containers._MOST_IMAGES", 20)
        open_container(path).close()
        monkeypatch.setattr("zoolens.catalog.images.containers._MOST_LOADED", 1999)
        with pytest.raises(CatalogError, match="row group of"):
            open_container(path)
