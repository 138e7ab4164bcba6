import gzip
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.PngImagePlugin import PngInfo

from tests.images.test_cutouts import cutout, sky
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.decoding import decode
from zoolens.catalog.images.reader import ImageReader

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


def rotated(kind: str, turn: int) -> bytes:
    """An image with an EXIF orientation."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turn
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind, exif=exif)
    return file.getvalue()


def opaque_palette() -> bytes:
    """A PNG with a palette whose colours all have an alpha, of 255."""
    file = io.BytesIO()
    Image.fromarray(PIXELS).convert("P").save(file, "PNG", transparency=b"\xff" * 256)
    return file.getvalue()


class TestGoodImages:
    def test_png_is_exact(self) -> None:
        image, kind, _ = decode(encoded("PNG"))
        assert (kind, image.mode) == ("PNG", "RGB")
        np.testing.assert_array_equal(np.asarray(image), PIXELS)

    def test_jpeg_as_pillow_reads_it(self) -> None:
        data = encoded("JPEG")
        image, kind, _ = decode(data)
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
            image = decode(bytes(data)).image
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
            (b"what?", "unreadable image: neither PNG, JPEG nor FITS"),
            (b"GIF89a" + bytes(50), "unreadable image: a GIF, neither PNG"),
            (b" \n<svg xmlns=''/>", "unreadable image: an SVG, neither PNG"),
            (b"RIFF1234WEBPVP8 ", "unreadable image: a WebP, neither PNG"),
            (b"\0\0\0\x18ftypheic", "unreadable image: a HEIC or a film, neither PNG"),
            (b"PK\x03\x04" + bytes(99), "unreadable image: a zip file, neither PNG"),
            (encoded("PNG")[:-3], "truncated image"),
            (encoded("JPEG")[:-3], "truncated image"),
        ],
    )
    def test_reasons(self, data: bytes, reason: str) -> None:
        with pytest.raises(ImageRefused, match=reason):
            decode(data)


class TestConverted:
    """What is converted shows what was seen, and is told."""

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "PA"])
    def test_colour_without_transparency(self, mode: str) -> None:
        data = encoded("PNG", mode) if mode != "PA" else opaque_palette()
        own = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        image, _, remarks = decode(data)
        assert image.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(image), own)
        assert [remark.partition(":")[0] for remark in remarks] == {
            "RGB": [],
            "RGBA": ["opaque alpha"],
            "P": ["palette"],
            "PA": ["opaque alpha", "palette"],
        }[mode]

    @pytest.mark.parametrize(("mode", "kind"), [("L", "PNG"), ("L", "JPEG"), ("LA", "PNG")])
    def test_one_channel_stays_one(self, mode: str, kind: str) -> None:
        data = encoded(kind, mode)
        image, _, remarks = decode(data)
        assert image.mode == "L"
        own = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
        np.testing.assert_array_equal(np.asarray(image), own)
        kinds = ["opaque alpha", "one channel"] if mode == "LA" else ["one channel"]
        assert [remark.partition(":")[0] for remark in remarks] == kinds

    @pytest.mark.parametrize("depth", [1, 2, 4])
    def test_grey_of_fewer_bits_reaches_from_black_to_white(self, depth: int) -> None:
        data = png(2, 1, depth=depth, colour=0, raw=bytes([0, (1 << depth) - 1 << 8 - 2 * depth]))
        image = decode(data).image
        assert image.mode == "L"
        assert np.asarray(image).tolist() == [[0, 255]]

    def test_a_colour_that_is_transparent_but_nowhere(self) -> None:
        file = io.BytesIO()
        unused = (1, 2, 3)
        assert not np.equal(PIXELS, unused).all(axis=2).any()
        Image.fromarray(PIXELS).save(file, "PNG", transparency=unused)
        image, _, remarks = decode(file.getvalue())
        np.testing.assert_array_equal(np.asarray(image), PIXELS)
        assert len(remarks) == 1
        assert remarks[0].startswith("opaque alpha")

    @pytest.mark.parametrize("turn", range(1, 9))
    def test_a_rotation_is_obeyed_as_by_browsers(self, turn: int) -> None:
        data = rotated("JPEG", turn)
        plain = np.asarray(Image.open(io.BytesIO(data)))
        # what the first row and column of the stored pixels are (EXIF 2.32, 4.6.5)
        expected = {
            1: plain,
            2: plain[:, ::-1],
            3: plain[::-1, ::-1],
            4: plain[::-1],
            5: plain.transpose(1, 0, 2),
            6: plain.transpose(1, 0, 2)[:, ::-1],
            7: plain.transpose(1, 0, 2)[::-1, ::-1],
            8: plain.transpose(1, 0, 2)[::-1],
        }[turn]
        image, kind, remarks = decode(data)
        assert kind == "JPEG"
        np.testing.assert_array_equal(np.asarray(image), expected)
        assert [remark.partition(":")[0] for remark in remarks] == ["rotated image"][: turn > 1]

    @pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\0\0\0\x08", b"Exif\0\0?", b"Exif\0\0" * 999])
    def test_damaged_exif_is_ignored_as_by_browsers(self, exif: bytes) -> None:
        file = io.BytesIO()
        Image.fromarray(PIXELS).save(file, "JPEG", exif=exif)
        image, _, remarks = decode(file.getvalue())
        assert (image.size, remarks) == ((17, 12), ())

    def test_zipped_fits(self) -> None:
        data = cutout(sky())
        image, kind, remarks = decode(gzip.compress(data))
        assert (kind, remarks) == ("FITS", ())
        np.testing.assert_array_equal(np.asarray(image), np.asarray(decode(data).image))
        with pytest.raises(ImageRefused, match="truncated image: the gzip data end early"):
            decode(gzip.compress(data)[:-9])
        with pytest.raises(ImageRefused, match="unreadable image: gzip, but not of FITS"):
            decode(gzip.compress(encoded("PNG")))


class TestWrongKind:
    @pytest.mark.parametrize(("mode", "colour"), [("I;16", 0), ("RGB", 2), ("RGBA", 6)])
    def test_sixteen_bits_that_pillow_would_cut_to_eight(self, mode: str, colour: int) -> None:
        data = png(2, 2, depth=16, colour=colour, raw=bytes(2 * 17))
        assert Image.open(io.BytesIO(data)).mode == mode
        with pytest.raises(ImageRefused, match=f"wrong mode: {mode} of 16 bit, .* save it with 8"):
            decode(data)

    @pytest.mark.parametrize("mode", ["RGBA", "LA"])
    @pytest.mark.parametrize("alpha", [0, 254])
    def test_a_pixel_that_is_transparent(self, mode: str, alpha: int) -> None:
        picture = Image.fromarray(PIXELS).convert(mode)
        picture.putpixel((3, 4), (*(7,) * (len(mode) - 1), alpha))
        file = io.BytesIO()
        picture.save(file, "PNG")
        with pytest.raises(ImageRefused, match=f"wrong mode: transparent, alpha from {alpha} of"):
            decode(file.getvalue())

    def test_a_colour_that_is_transparent(self) -> None:
        file = io.BytesIO()
        seen = tuple(PIXELS[3, 4].tolist())
        Image.fromarray(PIXELS).save(file, "PNG", transparency=seen)
        with pytest.raises(ImageRefused, match="wrong mode: transparent, alpha from 0 of"):
            decode(file.getvalue())

    def test_colours_of_printers(self) -> None:
        with pytest.raises(ImageRefused, match="wrong mode: CMYK, not RGB or grey; save it as RGB"):
            decode(encoded("JPEG", "CMYK"))

    def test_an_animation(self) -> None:
        file = io.BytesIO()
        picture = Image.fromarray(PIXELS)
        picture.save(file, "PNG", save_all=True, append_images=[picture.rotate(90)])
        with pytest.raises(ImageRefused, match="wrong mode: an animation"):
            decode(file.getvalue())

    def test_a_png_that_is_to_be_turned(self) -> None:
        with pytest.raises(ImageRefused, match=r"wrong mode: .*\(orientation 6\).*save it upright"):
            decode(rotated("PNG", 6))
        assert decode(rotated("PNG", 1)).remarks == ()


class TestBombs:
    @pytest.mark.parametrize("side", [4097, 12_000, 60_000, 2**31 - 1])
    def test_refused_by_the_header(self, side: int, recwarn: pytest.WarningsRecorder) -> None:
        with ImageReader(), pytest.raises(ImageRefused, match="too large an image"):
            decode(png(side, side))
        assert not recwarn.list

    @pytest.mark.slow
    def test_a_real_one_costs_no_memory(self, tmp_path: Path) -> None:
        # 300 MB of black in 300 kB
        path = tmp_path / "bomb.png"
        path.write_bytes(png(10_000, 10_000, raw=bytes(10_000 * 30_001)))
        with ImageReader() as reader, pytest.raises(ImageRefused, match="more than 16,777,216"):
            reader.open(str(path))

    def test_a_bomb_in_a_comment(self) -> None:
        file = io.BytesIO()
        info = PngInfo()
        info.add_text("comment", "x" * 100_000_000, zip=True)
        Image.fromarray(PIXELS).save(file, "PNG", pnginfo=info)
        with pytest.raises(ImageRefused, match="unreadable image"):
            decode(file.getvalue())


def test_the_first_of_several_pictures_in_a_jpeg_is_a_jpeg() -> None:
    file = io.BytesIO()
    picture = Image.fromarray(PIXELS)
    picture.save(file, "MPO", save_all=True, append_images=[picture])
    assert decode(file.getvalue()).format == "JPEG"
