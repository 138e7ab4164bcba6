"""Encoded images as pixels: what is taken as it is, what is converted and told, what is refused.

All that shows an image decodes it here, so that a model, a figure and a volunteer see the same.
An image is converted only where nothing that was seen is lost.
"""

import io
from typing import NamedTuple

from PIL import ExifTags, Image, UnidentifiedImageError

from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.unzipping import GZIP, starts, unzipped

MOST_BYTES = 256 * 2**20
MOST_PIXELS = 4096**2
_PNG_END = b"IEND\xaeB`\x82"
# Ways to turn an image that lies as EXIF's orientation says.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# How files begin that are often called images, and what they are.
_OTHERS = (
    (0, b"GIF8", "a GIF"),
    (0, b"II*\0", "a TIFF"),
    (0, b"MM\0*", "a TIFF"),
    (0, b"II+\0", "a TIFF"),
    (0, b"MM\0+", "a TIFF"),
    (8, b"WEBP", "a WebP"),
    (4, b"ftypavif", "an AVIF"),
    (4, b"ftyp", "a HEIC or a film"),
    (0, b"\0\0\0\x0cjP", "a JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000"),
    (0, b"\0\0\0\x0cJXL", "a JPEG XL"),
    (0, b"\xff\x0a", "a JPEG XL"),
    (0, b"BM", "a BMP"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"\x93NUMPY", "a NumPy file"),
    (0, b"%PDF", "a PDF"),
    (0, b"PK\x03\x04", "a zip file"),
    (0, b"PAR1", "a Parquet file"),
    (257, b"ustar", "a tar file"),
    (0, b"version https://git-lfs", "a pointer of Git LFS, without the image: git lfs pull"),
    (0, b"<svg", "an SVG"),
    (0, b"<!DOCTYPE", "a web page"),
    (0, b"<html", "a web page"),
    (0, b"<?xml", "an XML file"),
)


class Decoded(NamedTuple):
    """An image: RGB, or L if it has one channel, 8 bits each; and what became of it.

    format: PNG, JPEG or FITS; remarks: what was converted, `kind: details` each, with a
    kind of `catalog.store.kinds`.
    """

    image: Image.Image
    format: str
    remarks: tuple[str, ...] = ()


def decode(data: bytes) -> Decoded:
    """An encoded image as RGB or L, 8 bit. The content says its format.

    Alpha that is opaque throughout is dropped, a palette is looked up, and an image is turned
    as its EXIF orientation says, as browsers show it; FITS is shown by `catalog.images.cutouts`.
    Raises `ImageRefused` for what would be seen otherwise than it was: real transparency, CMYK,
    16 bits, animations; also for more than 4096 x 4096 pixels, before decoding them, and for
    damaged or truncated files.
    """
    if not data:
        raise ImageRefused("unreadable image: the file is empty")
    if data.startswith(GZIP):
        if not starts(data).startswith(b"SIMPLE"):
            raise ImageRefused("unreadable image: gzip, but not of FITS; unpack it")
        data = unzipped(data, MOST_BYTES)
    if data.startswith(b"SIMPLE"):
        from zoolens.catalog.images.cutouts import shown

        image, remarks = shown(data, MOST_PIXELS)
        return Decoded(image, "FITS", remarks)
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG", "JPEG"))
        # MPO: a JPEG with several pictures, of which browsers show the first
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        _check_header(image, data)
        if kind == "PNG":
            image.verify()  # the checksums, which loading skips; leaves the image unusable
            image = Image.open(io.BytesIO(data), formats=("PNG",))
        image.load()
        return _upright(*_plain(image, data), kind)
    except ImageRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageRefused(f"too large an image: more than {MOST_PIXELS:,} pixels") from None
    except Exception as error:  # a decoder on hostile bytes raises whatever it trips on
        kind = "truncated" if "truncated" in str(error).lower() else "unreadable"
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, UnidentifiedImageError):
            reason = f"{_called(data)} neither PNG, JPEG nor FITS".lstrip()
        raise ImageRefused(f"{kind} image: {reason}") from None


def _check_header(image: Image.Image, data: bytes) -> None:
    """Refuse an image for what its header says, before anything is decompressed."""
    if image.width * image.height > MOST_PIXELS:
        raise ImageRefused(f"too large an image: {image.width} x {image.height} pixels")
    if image.format != "PNG":
        if image.mode not in ("RGB", "L"):
            raise ImageRefused(f"wrong mode: {image.mode}, not RGB or grey; save it as RGB")
        return
    if data[24] == 16:
        raise ImageRefused(
            f"wrong mode: {image.mode} of 16 bit, which no screen shows; save it with 8 bits, "
            "or as FITS"
        )
    if getattr(image, "n_frames", 1) > 1:
        raise ImageRefused("wrong mode: an animation; save the picture that is to be seen")
    if _PNG_END not in data:
        raise ImageRefused("truncated image: the PNG has no end")


def _plain(image: Image.Image, data: bytes) -> tuple[Image.Image, list[str]]:
    """A decoded image as RGB or L, and remarks on what was converted."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image, []
    remarks = []
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode == "LA" else "RGBA")
        least = image.getextrema()[-1][0]  # type: ignore[index]
        if least < 255:
            raise ImageRefused(
                f"wrong mode: transparent, alpha from {least} of 255; save it as RGB, on the "
                "background that was seen"
            )
        remarks.append("opaque alpha: the alpha channel is 255 throughout, and dropped")
    if data[:1] == b"\x89" and data[25] == 3:
        remarks.append("palette: each pixel is given its colour of the palette")
    if grey:
        remarks.append("one channel: for models of one, and of three if they are asked to")
    return image.convert("L" if grey else "RGB"), remarks


def _upright(image: Image.Image, remarks: list[str], kind: str) -> Decoded:
    """An image as browsers turn it, which look at EXIF alone, and ignore what is damaged."""
    turn = _orientation(image.info.get("exif"))
    if turn not in _TURNS:
        return Decoded(image, kind, tuple(remarks))
    if kind == "PNG":
        raise ImageRefused(
            f"wrong mode: a PNG that EXIF says to turn (orientation {turn}), which some browsers "
            "do and some do not; save it upright"
        )
    told = f"rotated image: turned as EXIF says (orientation {turn}), as browsers do"
    return Decoded(image.transpose(_TURNS[turn]), kind, (*remarks, told))


def _orientation(data: bytes | None) -> int:
    """The orientation of EXIF data, 1 (upright) if they have none."""
    if not data:
        return 1
    exif = Image.Exif()
    try:
        exif.load(data)
        return int(exif.get(ExifTags.Base.Orientation, 1))
    except Exception:  # the pixels are sound all the same
        return 1


def _called(data: bytes) -> str:
    """What data are that begin as another known kind of file does, and a comma; or nothing."""
    start = data[:300].lstrip() if data[:1].isspace() else data[:300]
    found = (
        name for at, magic, name in _OTHERS if start[at : at + len(magic)].lower() == magic.lower()
    )
    name = next(found, None)
    return f"{name}," if name else ""
