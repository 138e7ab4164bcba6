import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.reader import ImageReader, decode

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def encoded(kind: str, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(file, kind)
    return file.getvalue()


def png(width: int, height: int, *, depth: int = 8, colour: int = 2, raw: bytes = b"") -> bytes:
    """A PNG by hand, with a header that may lie."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


class TestGoodImages:
    def test_png_is_exact(self) -> None:
        image, kind = decode(encoded("PNG"))
        assert (kind, image.mode) == ("PNG", "RGB")
        np.testing.assert_array_equal(np.asarray(image), PIXELS)

    def test_jpeg_as_pillow_reads_it(self) -> None:
        data = encoded("JPEG")
        image, kind = decode(data)
        assert kind == "JPEG"
        np.testing.assert_array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(data))))

    def test_real_images(self, data: Path) -> None:
        with ImageReader() as reader:
            for path in sorted((data / "images").iterdir())[:5]:
                facts = reader.inspect(str(path))
                assert (facts.format, facts.height, facts.width) == ("PNG", 424, 424)
                own = np.asarray(Image.open(path))
                np.testing.assert_array_equal(np.asarray(reader.open(str(path))), own)


class TestDamaged:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG"])
    def test_every_truncation_is_refused(self, kind: str) -> None:
        data = encoded(kind)
        for length in range(len(data)):
            with pytest.raises(ImageRefused):
                decode(data[:length])

    @settings(max_examples=300, deadline=None)
    @given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
    def test_a_flipped_bit_in_a_png_never_changes_a_pixel(self, place: int, bit: int) -> None:
        data = bytearray(encoded("PNG"))
        data[place % len(data)] ^= 1 << bit
        try:
            image, _ = decode(bytes(data))
        except ImageRefused:
            return
        np.testing.assert_array_equal(np.asarray(image), PIXELS)

    @settings(max_examples=300, deadline=None)
    @given(
        start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"SIMPLE  =  T"]),
        rest=st.binary(max_size=200),
    )
    def test_no_bytes_raise_anything_else(self, start: bytes, rest: bytes) -> None:
        with pytest.raises(ImageRefused) as refused:
            decode(start + rest)
        assert "\n" not in str(refused.value)

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (b"", "unreadable image: the file is empty"),
            (b"<html></html>", "unreadable image: neither PNG, JPEG nor FITS"),
            (b"GIF89a" + bytes(50), "unreadable image: neither"),
            (encoded("PNG")[:-3], "truncated image"),
            (encoded("JPEG")[:-3], "truncated image"),
        ],
    )
    def test_reasons(self, data: bytes, reason: str) -> None:
        with pytest.raises(ImageRefused, match=reason):
            decode(data)


class TestWrongKind:
    @pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "I;16"])
    def test_png_modes(self, mode: str) -> None:
        if mode == "I;16":
            data = png(2, 2, depth=16, colour=0, raw=bytes(2 * 5))
        else:
            data = encoded("PNG", mode)
        with pytest.raises(ImageRefused, match="wrong mode: expected RGB of 8 bit, not"):
            decode(data)

    @pytest.mark.parametrize("mode", ["L", "CMYK"])
    def test_jpeg_modes(self, mode: str) -> None:
        with pytest.raises(ImageRefused, match=f"wrong mode: .* not {mode}"):
            decode(encoded("JPEG", mode))

    def test_sixteen_bits_that_pillow_would_cut_to_eight(self) -> None:
        data = png(2, 2, depth=16, raw=bytes(2 * 13))
        assert Image.open(io.BytesIO(data)).mode == "RGB"
        with pytest.raises(ImageRefused, match="not RGB of 16 bit"):
            decode(data)

    def test_a_transparent_colour(self) -> None:
        file = io.BytesIO()
        Image.fromarray(PIXELS).save(file, "PNG", transparency=(1, 2, 3))
        with pytest.raises(ImageRefused, match="RGB with transparency"):
            decode(file.getvalue())


class TestBombs:
    @pytest.mark.parametrize("side", [4097, 12_000, 60_000, 2**31 - 1])
    def test_refused_by_the_header(self, side: int, recwarn: pytest.WarningsRecorder) -> None:
        with ImageReader(), pytest.raises(ImageRefused, match="too large an image"):
            decode(png(side, side))
        assert not recwarn.list

    def test_a_real_one_costs_no_memory(self, tmp_path: Path) -> None:
        # 300 MB of black in 300 kB
        path = tmp_path / "bomb.png"
        path.write_bytes(png(10_000, 10_000, raw=bytes(10_000 * 30_001)))
        with ImageReader() as reader, pytest.raises(ImageRefused, match="more than 16,777,216"):
            reader.open(str(path))

    def test_a_bomb_in_a_comment(self) -> None:
        file = io.BytesIO()
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_text("comment", "x" * 100_000_000, zip=True)
        Image.fromarray(PIXELS).save(file, "PNG", pnginfo=info)
        with pytest.raises(ImageRefused, match="unreadable image"):
            decode(file.getvalue())


class TestReader:
    def test_what_is_no_file(self, tmp_path: Path) -> None:
        import os

        os.mkfifo(tmp_path / "pipe.png")
        (tmp_path / "folder.png").mkdir()
        (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
        with ImageReader() as reader:
            for name in ("pipe.png", "folder.png", "loop.png", "absent.png"):
                with pytest.raises(ImageRefused, match="missing image: no file"):
                    reader.open(str(tmp_path / name))

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        with (tmp_path / "huge.png").open("wb") as file:
            file.truncate(10**12)  # a hole
        with ImageReader() as reader, pytest.raises(ImageRefused, match="too large an image"):
            reader.open(str(tmp_path / "huge.png"))

    def test_facts(self, tmp_path: Path) -> None:
        import hashlib

        (tmp_path / "a.png").write_bytes(encoded("PNG"))
        with ImageReader() as reader:
            facts = reader.inspect(str(tmp_path / "a.png"))
        assert (facts.format, facts.height, facts.width) == ("PNG", 12, 17)
        assert facts.sha256 == hashlib.sha256(encoded("PNG")).hexdigest()


def test_the_first_of_several_pictures_in_a_jpeg_is_a_jpeg() -> None:
    file = io.BytesIO()
    picture = Image.fromarray(PIXELS)
    picture.save(file, "MPO", save_all=True, append_images=[picture])
    assert decode(file.getvalue())[1] == "JPEG"
