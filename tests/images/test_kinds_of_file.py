"""A folder of a hundred kinds of file: each is taken, taken with a remark, or refused, and told."""

import bz2
import gzip
import io
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image

from tests.images.test_cutouts import cutout, galaxy, sky
from tests.images.test_decoding import encoded, opaque_palette, png, rotated
from tests.made.catalogues import blank
from tests.made.images import parquet_images, picture, tar
from tests.made.vote_tables import decals, write
from zoolens.catalog.images.containers import is_utf8
from zoolens.catalog.store.kinds import is_refused
from zoolens.catalog.store.store import Store
from zoolens.jobs.ingest import ingest

Make = Callable[[Path], object]


def saved(kind: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (12, 17, 3), np.uint8))
    image.convert(mode).save(file, kind, **options)
    return file.getvalue()


def units(*others: object) -> bytes:
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *others]).writeto(file)
    return file.getvalue()


def packed(kind: str, pixels: object = None) -> bytes:
    plane = np.round(galaxy()).astype(np.int16) if pixels is None else pixels
    return units(fits.CompImageHDU(plane, compression_type=kind))


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", data)
    return file.getvalue()


def bomb() -> bytes:
    return gzip.compress(cutout(sky())[:2880] + bytes(2**29))


def holed(share: float) -> bytes:
    plane = galaxy()
    plane.ravel()[: int(share * plane.size)] = np.nan
    return cutout(plane)


def partly(alpha: int) -> bytes:
    image = Image.fromarray(np.zeros((9, 9, 3), np.uint8)).convert("RGBA")
    image.putpixel((2, 3), (1, 2, 3, alpha))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


PNG, JPEG, GRIZ = picture(1), picture(2, "JPEG"), np.insert(sky(), 2, 1, axis=0)
TAKEN, ALPHA, PALETTE, GREY = "taken", "opaque alpha", "palette", "one channel"
UNREAD, MODE, SHAPE, BAD, CUT = (
    "unreadable image",
    "wrong mode",
    "wrong shape",
    "bad pixels",
    "truncated image",
)
# name of a file, what is in it, and its outcome: of several kinds the first that is told
CONTENTS: list[tuple[str, bytes, str]] = [
    ("png.png", PNG, TAKEN),
    ("upper.PNG", PNG, TAKEN),
    ("jpeg.jpg", JPEG, TAKEN),
    ("long.jpeg", JPEG, TAKEN),
    ("upper2.JPG", JPEG, TAKEN),
    ("progressive.jpg", saved("JPEG", progressive=True), TAKEN),
    ("subsampled.jpg", saved("JPEG", subsampling=2), TAKEN),
    ("named as png.png", JPEG, TAKEN),
    ("named as jpeg.jpg", PNG, TAKEN),
    ("png named fits.fits", PNG, TAKEN),
    ("fits named png.png", cutout(sky()), TAKEN),
    ("with a tail.png", PNG + b"tail", TAKEN),
    ("upright.jpg", rotated("JPEG", 1), TAKEN),
    ("upright2.png", rotated("PNG", 1), TAKEN),
    ("J1.5-2.5.png", PNG, TAKEN),
    ("with spaces in.png", PNG, TAKEN),
    ("image.image.png", PNG, TAKEN),
    (normalize("NFD", "éa") + ".png", PNG, TAKEN),
    (normalize("NFC", "éb") + ".png", PNG, TAKEN),
    ("galaxie-星系.png", PNG, TAKEN),
    ("grz.fits", cutout(sky()), TAKEN),
    ("fit.fit", cutout(sky()), TAKEN),
    ("fts.fts", cutout(sky()), TAKEN),
    ("UPPER.FITS", cutout(sky()), TAKEN),
    ("bands.fits", cutout(sky()[::-1], BANDS="zrg"), TAKEN),
    ("doubles.fits", cutout(sky().astype(float)), TAKEN),
    ("zipped.fits.gz", gzip.compress(cutout(sky())), TAKEN),
    ("packed.fits.fz", packed("RICE_1", np.round(sky() * 999).astype(np.int16) + 1), TAKEN),
    ("an extension.fits", units(fits.ImageHDU(sky())), TAKEN),
    ("rgba.png", encoded("PNG", "RGBA"), ALPHA),
    ("unused key.png", saved("PNG", transparency=(1, 2, 3)), ALPHA),
    ("palette.png", encoded("PNG", "P"), PALETTE),
    ("palette and alpha.png", opaque_palette(), ALPHA),
    ("grey.png", encoded("PNG", "L"), GREY),
    ("grey2.jpg", encoded("JPEG", "L"), GREY),
    ("black and white.png", encoded("PNG", "1"), GREY),
    ("two bits.png", png(4, 1, depth=2, colour=0, raw=bytes(2)), GREY),
    ("grey and alpha.png", encoded("PNG", "LA"), ALPHA),
    *((f"turned{i}.jpg", rotated("JPEG", i), "rotated image") for i in range(2, 9)),
    ("float.fits", cutout(galaxy()), GREY),
    ("int16.fits", cutout(np.round(galaxy()).astype(np.int16)), GREY),
    ("uint16.fits", cutout(np.round(galaxy()).astype(np.uint16)), GREY),
    ("int32.fits", cutout(np.round(galaxy()).astype(np.int32)), GREY),
    ("uint8.fits", cutout(np.arange(99, dtype=np.uint8).reshape(9, 11)), GREY),
    ("cube of one.fits", cutout(galaxy()[None]), GREY),
    ("science.fits", units(fits.ImageHDU(galaxy(), name="SCI")), GREY),
    ("rice.fits.fz", packed("RICE_1"), GREY),
    ("gzip1.fits.fz", packed("GZIP_1"), GREY),
    ("gzip2.fits", packed("GZIP_2"), GREY),
    ("quantised.fits.fz", packed("RICE_1", galaxy()), GREY),
    ("both.fits.fz.gz.fits", gzip.compress(packed("RICE_1")), GREY),
    ("few holes.fits", holed(0.04), GREY),
    ("griz.fits", cutout(GRIZ, BANDS="griz"), "chosen bands"),
    ("clear.png", partly(0), MODE),
    ("nearly opaque.png", partly(254), MODE),
    ("cmyk.jpg", encoded("JPEG", "CMYK"), MODE),
    ("16 bit.png", png(2, 2, depth=16, raw=bytes(26)), MODE),
    ("16 bit grey.png", png(2, 2, depth=16, colour=0, raw=bytes(10)), MODE),
    ("turned.png", rotated("PNG", 3), MODE),
    (
        "animated.png",
        saved("PNG", save_all=True, append_images=[Image.new("RGB", (17, 12))]),
        MODE,
    ),
    ("five planes.fits", cutout(np.ones((5, 9, 9), np.float32)), SHAPE),
    ("gri.fits", cutout(sky(), BANDS="gri"), SHAPE),
    ("spectrum.fits", cutout(np.ones(99, np.float32)), SHAPE),
    ("table.fits", units(fits.BinTableHDU.from_columns([fits.Column("a", "E")])), SHAPE),
    ("empty unit.fits", units(), SHAPE),
    ("several.fits", units(fits.ImageHDU(galaxy()), fits.ImageHDU(galaxy())), SHAPE),
    ("many holes.fits", holed(0.06), BAD),
    ("constant.fits", cutout(np.full((9, 9), 3.5)), BAD),
    ("no data.fits", cutout(np.zeros((3, 9, 9), np.float32)), BAD),
    ("plio.fits.fz", packed("PLIO_1"), UNREAD),
    ("empty.png", b"", UNREAD),
    ("empty2.fits", b"", UNREAD),
    ("text.png", b"no image", UNREAD),
    ("page.jpg", b"<!DOCTYPE html><p>404", UNREAD),
    ("gif.png", saved("GIF"), UNREAD),
    ("tiff.png", saved("TIFF"), UNREAD),
    ("webp.jpg", saved("WEBP"), UNREAD),
    ("bmp.png", saved("BMP"), UNREAD),
    ("heic.jpg", b"\0\0\0\x18ftypheic" + bytes(99), UNREAD),
    ("zip.png", zipped(PNG), UNREAD),
    ("svg.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", UNREAD),
    ("a pointer.png", b"version https://git-lfs.github.com/spec/v1\n", UNREAD),
    ("gzipped png.fits.gz", gzip.compress(PNG), UNREAD),
    ("bomb.png", png(60_000, 60_000), "too large an image"),
    ("cut.png", PNG[:-9], CUT),
    ("cut2.jpg", JPEG[:-99], CUT),
    ("cut3.fits", cutout(galaxy())[:9999], CUT),
    ("cut4.fits.gz", gzip.compress(cutout(galaxy()))[:-99], CUT),
    # beside them
    ("tif.tif", saved("TIFF"), "not an image"),
    ("webp.webp", saved("WEBP"), "not an image"),
    ("gif.gif", saved("GIF"), "not an image"),
    ("svg.svg", b"<svg/>", "not an image"),
    ("none", PNG, "not an image"),
    ("twice.png.bak", PNG, "not an image"),
    ("archive.zip", zipped(PNG), "not an image"),
    ("archive.tar.xz", lzma.compress(PNG), "not an image"),
    ("packed.png.bz2", bz2.compress(PNG), "not an image"),
    ("votes.csv", b"a,b\n", "not an image"),
    (".hidden.png", PNG, "not an image"),
    ("._resource.png", b"\0\5\x16\7", "not an image"),
    ("Thumbs.db", b"", "not an image"),
    ("of nobody.png", PNG, "image without votes"),
    ("jpeg.png", PNG, "second image"),
    ("no tar.tar", b"no tar", "unreadable tar"),
    ("no gzip.tar.gz", b"no gzip", "unreadable file"),
    ("no.parquet", b"PAR1", "unreadable file"),
]
SPECIAL: list[tuple[str, Make, str]] = [
    ("bomb2.fits.gz", lambda path: path.write_bytes(bomb()), "too large an image"),
    ("pipe.png", os.mkfifo, "missing image"),
    ("loop.png", lambda path: path.symlink_to(path), "missing image"),
    ("nowhere.png", lambda path: path.symlink_to(path.parent / "nothing"), "missing image"),
    ("linked.png", lambda path: path.symlink_to(path.parent / "png.png"), TAKEN),
    ("folder.png", Path.mkdir, "not an image"),
    ("empty folder", Path.mkdir, "not an image"),
    ("a/too deep", lambda path: path.mkdir(parents=True), "not an image"),
    ("itself", lambda path: path.symlink_to(path.parent), "not an image"),
    (os.fsdecode(b"J\xff.png"), lambda path: path.write_bytes(PNG), "not an image"),
]
_ANY = (".fits.gz", ".fits.fz", ".fits", ".fit", ".fts", ".png", ".jpeg", ".jpg")


def galaxy_of(name: str) -> str:
    """The galaxy after which a file is called, in the form of a table."""
    end = next((one for one in _ANY if name.lower().endswith(one)), "")
    return normalize("NFC", name[: len(name) - len(end)]).removesuffix(".image")


@pytest.mark.slow
def test_each_has_one_outcome_and_it_is_told(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name, data, _ in CONTENTS:
        (images / name).write_bytes(data)
    for name, make, _ in SPECIAL:
        make(images / name)
    tar(images / "members.tar", {"member.png": PNG, "member.json": b"{}", "member2.gif": b""})
    parquet_images(images / "rows.parquet", [PNG], id=["row"])
    expected = {name: outcome for name, _, outcome in [*CONTENTS, *SPECIAL]}
    expected |= {"member.png": TAKEN, "member2.gif": "not an image", "row": TAKEN}
    named = [*dict.fromkeys(galaxy_of(name) for name in expected if _named(name))]
    table = decals(np.ones((len(named), 34)))
    table = table.set_column(table.column_names.index("iauname"), "iauname", [named])
    catalog = blank(tmp_path / "gz.duckdb")
    report = ingest(catalog, write(tmp_path / "votes.csv", table), images=images)
    with Store.open(catalog, read_only=True) as store:
        taken = dict(store.rows("SELECT iauname, image FROM galaxies WHERE image IS NOT NULL"))
        told: dict[str, list[str]] = {}
        for source, key, kind in store.rows("SELECT source, key, kind FROM rejects"):
            if source.startswith(str(images)):
                told.setdefault(_place(source, key), []).append(kind)
    found = {}
    for name in expected:
        kinds = told.pop(Path(name.encode(errors="replace").decode()).name, [])
        refusals = [kind for kind in kinds if is_refused(kind)]
        assert len(refusals) <= 1, name
        found[name] = (refusals or kinds or [TAKEN])[0]
        is_in = any(Path(place).name == name or name == galaxy for galaxy, place in taken.items())
        is_in |= name in ("member.png",) and "member" in taken
        assert is_in == (not refusals), name
    assert found == expected
    assert len(found) >= 100
    assert report.images == len(taken)
    assert not told


def _named(name: str) -> bool:
    """Whether a galaxy of the table is called so."""
    return is_utf8(name) and name != "of nobody.png"


def _place(source: str, key: str) -> str:
    """Name of the item that a reject is about."""
    within = source.endswith((".tar", ".parquet")) and not Path(source).name.startswith("no")
    return key if within else Path(source).name
