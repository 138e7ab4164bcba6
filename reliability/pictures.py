"""Hostile images: files, tar shards and Parquet tables of them, with wrong bytes and claims.

Every image that was given is checked and in the catalogue, or a row of `rejects`; or all are
refused at once, in one line.
"""

import io
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from reliability.cases import Case, Job, Outcome, Verdict, failed
from reliability.mutations import Spoilt, spoil_bytes
from reliability.tables import FORMATS
from reliability.world import World
from tests.made.catalogues import blank, random_counts
from tests.made.images import folder as image_folder
from tests.made.images import parquet_images, picture, tar
from tests.made.vote_tables import decals, names
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree

_IMAGES = 4
_MODES = ("1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16", "F")


def _hostile(chance: Random) -> bytes:
    """An image that should not be taken, or not as it is."""
    kind = chance.choice(("PNG", "JPEG"))
    data = picture(chance.randrange(1000), kind, side=chance.choice((1, 24, 40)))
    way = chance.randrange(8)
    if way < 4:
        return spoil_bytes(data, chance, first=chance.choice((None, None, 200)))
    if way == 4:
        return _claiming(chance)
    if way == 5:
        return _of_mode(chance)
    if way == 6:  # another kind of file
        return chance.choice((b"", b"GIF89a", b"%PDF-1.4", b"<svg/>", b"\x00" * 5000, data[8:]))
    return data + picture(3)  # two in one


def _claiming(chance: Random) -> bytes:
    """A PNG that claims a size which it does not have, or has it by compression."""
    side = chance.choice((0, 1, 5000, 20_000, 65_535, 2**31 - 1))
    header = struct.pack(">IIBBBBB", side, chance.choice((side, 1)), 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(chance.choice((10, 10**6, 3 * 10**7))))
    text = zlib.compress(b"a" * 10**7)
    chunks = [(b"IHDR", header), (b"zTXt", b"t\x00\x00" + text), (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _of_mode(chance: Random) -> bytes:
    mode = chance.choice(_MODES)
    pixels = np.random.default_rng(chance.randrange(100)).integers(0, 256, (24, 24, 3), np.uint8)
    image = Image.fromarray(pixels)
    image = Image.new(mode, (24, 24)) if mode in ("I;16", "F") else image.convert(mode)
    file = io.BytesIO()
    image.save(file, "TIFF" if mode in ("F", "CMYK", "YCbCr") else "PNG")
    return file.getvalue()


def _given(chance: Random) -> dict[str, bytes]:
    """Images by name, one or more of them hostile."""
    found = {name: picture(i, side=24) for i, name in enumerate(names(_IMAGES))}
    for name in chance.sample(list(found), chance.choice((1, 1, 2, _IMAGES))):
        found[name] = _hostile(chance)
    return found


def _in_folder(path: Path, images: dict[str, bytes], chance: Random) -> Path:
    suffix = chance.choice((".png", ".jpg", ".jpeg", ".PNG"))
    return image_folder(path / "images", {f"{name}{suffix}": d for name, d in images.items()})


def _in_tar(path: Path, images: dict[str, bytes], chance: Random) -> Path:
    place = tar(path / "images.tar", {f"{name}.png": data for name, data in images.items()})
    way = chance.random()
    if way < 0.5:
        place.write_bytes(spoil_bytes(place.read_bytes(), chance, first=chance.choice((None, 512))))
    elif way < 0.7:
        with tarfile.open(place, "a") as archive:
            for name in ("../outside.png", "/etc/passwd", "a" * 300, "J000000.19-014709.0.png"):
                info = tarfile.TarInfo(name)
                info.type = chance.choice((tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE))
                info.linkname = "/etc/passwd"
                archive.addfile(info, io.BytesIO())
    return place


def _in_parquet(path: Path, images: dict[str, bytes], chance: Random) -> Path:
    place = parquet_images(path / "images.parquet", [*images.values()], iauname=[*images])
    if chance.random() < 0.5:
        place.write_bytes(spoil_bytes(place.read_bytes(), chance))
    return place


def _of(wrapped: Callable[[Path, dict[str, bytes], Random], Path]) -> Job:
    def run(case: Case, _: World, folder: Path) -> Verdict:
        from zoolens.jobs.ingest import ingest

        table = decals(random_counts(_IMAGES, get_tree("gzd5"), seed=9))
        columns = [column.to_pylist() for column in table.columns]
        rows = [[*row] for row in zip(*columns, strict=True)]
        (folder / "votes.csv").write_bytes(
            FORMATS["csv"](Spoilt(table.column_names, rows, set(), ""))
        )
        given = _given(case.random)
        place = wrapped(folder, given, case.random)
        report = ingest(blank(folder / "gz.duckdb"), folder / "votes.csv", images=place)
        with Store.open(folder / "gz.duckdb", read_only=True) as store:
            taken = {
                name for (name,) in store.rows("SELECT iauname FROM galaxies WHERE image NOT NULL")
            }
            refused = [key for (key,) in store.rows("SELECT key FROM reject WHERE key NOT NULL")]
        if len(taken) != report.images:
            return failed(f"{report.images} images reported, {len(taken)} in the catalogue")
        lost = [n for n in given if n not in taken and not any(k.startswith(n) for k in refused)]
        if lost:
            return failed(f"{', '.join(lost)}: neither taken nor refused")
        return Verdict(Outcome.HELD, f"{len(taken)} taken, {len(refused)} refused")

    return Job(run, share=2, short=True)


JOBS: dict[str, Job] = {
    "images, folder": _of(_in_folder),
    "images, tar": _of(_in_tar),
    "images, Parquet": _of(_in_parquet),
}
