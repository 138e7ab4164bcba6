"""What is handed to the Zooniverse, and what its uploader would make of it."""

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from pyarrow import parquet

from tests.images.test_cutouts import cutout, sky
from tests.images.test_decoding import rotated
from tests.made.images import picture, tar
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.decoding import decode
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.selection.manifest import (
    MOST_BYTES,
    Entry,
    PickedImage,
    write_image,
    write_manifest,
    write_refused,
)
from zoolens.catalog.store.rejects import Reject

pytestmark = pytest.mark.slow

NAME = "J113514.30-060216.9"


@pytest.fixture
def reader() -> Iterator[ImageReader]:
    with ImageReader() as reader:
        yield reader


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def picked(source: Path, member: str | None = None, name: str = NAME) -> PickedImage:
    """A galaxy with the image that is there now."""
    with ImageReader() as reader:
        kind, _, _, sha256, _ = astuple(reader.inspect(str(source), member))
    return PickedImage(7, name, 173.8, -6.04, str(source), member, kind, sha256)


def saved(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg")])
def test_what_the_zooniverse_takes_is_copied(
    tmp_path: Path, out: Path, reader: ImageReader, kind: str, suffix: str
) -> None:
    data = picture(3, kind)
    source = saved(tmp_path / "of any name.PNG", data)  # the content tells, not the suffix
    assert write_image(out, reader, picked(source)) == NAME + suffix
    assert (out / (NAME + suffix)).read_bytes() == data


def test_members_of_tar_and_parquet_are_copied(
    tmp_path: Path, out: Path, reader: ImageReader
) -> None:
    one, other = picture(1), picture(2, "JPEG")
    archive = tar(tmp_path / "images.tar", {"a/x.png": picture(0), "a/y.png": one})
    table = tmp_path / "images.parquet"
    parquet.write_table(pa.table({"image": [picture(0), other], "iauname": ["a", "b"]}), table)
    assert write_image(out, reader, picked(archive, "a/y.png", "one")) == "one.png"
    assert write_image(out, reader, picked(table, "1", "other")) == "other.jpg"
    assert (out / "one.png").read_bytes() == one
    assert (out / "other.jpg").read_bytes() == other


def test_a_fits_cutout_is_shown_in_colour(tmp_path: Path, out: Path, reader: ImageReader) -> None:
    data = cutout(sky())
    file = write_image(out, reader, picked(saved(tmp_path / "a.fits", data)))
    assert file == f"{NAME}.png"
    image, kind, _ = decode((out / file).read_bytes())
    assert kind == "PNG"
    assert np.array_equal(np.asarray(image), np.asarray(decode(data).image))


def test_a_jpeg_that_is_to_be_turned_is_written_upright(
    tmp_path: Path, out: Path, reader: ImageReader
) -> None:
    data = rotated("JPEG", 6)
    file = write_image(out, reader, picked(saved(tmp_path / "a.jpg", data)))
    assert file == f"{NAME}.jpg"
    written = decode((out / file).read_bytes())
    assert not written.remarks
    difference = np.asarray(written.image).astype(int) - np.asarray(decode(data).image)
    assert np.abs(difference).mean() < 12  # of noise; of another turn it is 85


def test_the_real_cutout(data: Path, out: Path, reader: ImageReader) -> None:
    file = write_image(out, reader, picked(data / "fits" / "example_a.fits"))
    with Image.open(out / file) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (424, 424))


def smooth(side: int) -> Image.Image:
    """Noise that JPEG, unlike PNG, makes small."""
    random = np.random.default_rng(0)
    slope = np.linspace(20, 220, side)[:, None, None] + random.normal(0, 2, (side, side, 3))
    return Image.fromarray(slope.astype(np.uint8))


def test_a_large_image_becomes_jpeg(tmp_path: Path, out: Path, reader: ImageReader) -> None:
    image = smooth(900)
    source = tmp_path / "large.png"
    image.save(source)
    assert source.stat().st_size > MOST_BYTES
    file = write_image(out, reader, picked(source))
    assert file == f"{NAME}.jpg"
    shown, kind, _ = decode((out / file).read_bytes())
    assert (kind, shown.size) == ("JPEG", (900, 900))
    assert (out / file).stat().st_size <= MOST_BYTES
    assert np.abs(np.asarray(shown, int) - np.asarray(image, int)).mean() < 3
    again = write_image(tmp_path, reader, picked(source))
    assert (tmp_path / again).read_bytes() == (out / file).read_bytes()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "FITS"])
def test_what_no_quality_makes_small_is_halved(
    tmp_path: Path, out: Path, reader: ImageReader, kind: str
) -> None:
    if kind == "FITS":
        planes = np.random.default_rng(0).normal(0, 3, (3, 1400, 1400)).astype(np.float32)
        data = cutout(planes)
    else:
        data = picture(0, kind, side=1400)
    assert len(data) > MOST_BYTES
    file = write_image(out, reader, picked(saved(tmp_path / "noise", data)))
    shown, kind, _ = decode((out / file).read_bytes())
    assert (kind, shown.size) == ("JPEG", (700, 700))
    assert (out / file).stat().st_size <= MOST_BYTES


def test_images_that_cannot_be_used_leave_nothing(
    tmp_path: Path, out: Path, reader: ImageReader
) -> None:
    source = saved(tmp_path / "a.png", picture(1))
    galaxy = picked(source)
    for data, reason in ((picture(2), "changed image"), (picture(1)[:-40], "changed image")):
        source.write_bytes(data)
        with pytest.raises(ImageRefused, match=reason):
            write_image(out, reader, galaxy)
    source.unlink()
    with pytest.raises(ImageRefused, match="missing image"):
        write_image(out, reader, galaxy)
    assert not list(out.iterdir())


def test_no_image_is_written_over_another(tmp_path: Path, out: Path, reader: ImageReader) -> None:
    galaxy = picked(saved(tmp_path / "a.png", picture(1)))
    write_image(out, reader, galaxy)
    with pytest.raises(FileExistsError):
        write_image(out, reader, galaxy)


def test_the_manifest_as_it_is(out: Path) -> None:
    galaxy = PickedImage(7, NAME, 173.80958, -6.0, "/a.png", None, "PNG", "00")
    path = write_manifest(
        out,
        [
            Entry(f"{NAME}.png", galaxy, "bar", True, 0.123456789, 12.0, 4),
            Entry("x.jpg", galaxy._replace(ra=None, dec=None), "shape", False, 2e-7, 3.5, 4),
        ],
        "mutual_information",
    )
    assert path.read_bytes().decode() == (
        "#image,!iauname,!ra,!dec,#rank,#selected_by,#question,#by_quota,#score,#votes,"
        "#galaxy_id,#run_id\n"
        f"{NAME}.png,{NAME},173.80958,-6,1,mutual_information,bar,yes,0.123457,12,7,4\n"
        f"x.jpg,{NAME},unknown,unknown,2,mutual_information,shape,no,2e-07,3.5,7,4\n"
    )


def test_nothing_shows_while_volunteers_answer(out: Path) -> None:
    with write_manifest(out, [], "loss").open() as file:
        assert all(name.startswith(("#", "!")) for name in next(csv.reader(file)))


@pytest.mark.parametrize("name", [NAME, "NGC 1300", "588017703996096547", "M 51a (core)", "η Car"])
def test_ordinary_names_stay_as_they_are(out: Path, name: str) -> None:
    assert names_in_manifest(out, [name]) == [name]


def names_in_manifest(out: Path, names: list[str]) -> list[str]:
    galaxies = [PickedImage(1, name, 1.0, 2.0, "/a", None, "PNG", "00") for name in names]
    entries = [Entry(f"{i}.png", galaxies[i], "bar", True, 1.0, 1.0, 1) for i in range(len(names))]
    text = write_manifest(out, entries, "loss").read_text(encoding="utf-8")
    (out / "manifest.csv").unlink()
    rows = list(csv.reader(io.StringIO(text, newline=""), skipinitialspace=True))
    assert {len(row) for row in rows} == {12}
    return [row[1] for row in rows[1:]]


HOSTILE = [
    "/etc/passwd",
    "../../secret",
    "",
    ".",
    "..",
    "~",
    "manifest.csv",
    "MANIFEST.CSV",
    "0.png",
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@a",
    "\t=1",
    "\r=1",
    " =1",
    "a\nb",
    "a,b",
    'a"b',
    "a" * 300,
    "C:\\x",
    "\u202egnp",
    "\uff1d1",
]


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files in it and above it that a cell could name."""
    folder = tmp_path_factory.mktemp("crowded") / "a" / "b"
    folder.mkdir(parents=True)
    for file in (folder / "refused.csv", folder / "0.png", folder.parent.parent / "secret"):
        file.touch()
    return folder


@given(st.text(max_size=30))
@example("a\x00")
def test_no_name_is_a_formula_or_a_file(crowded: Path, name: str) -> None:
    check_harmless(crowded, name)


@pytest.mark.parametrize("name", HOSTILE)
def test_known_tricks(crowded: Path, name: str) -> None:
    check_harmless(crowded, name)


def check_harmless(folder: Path, name: str) -> None:
    galaxy = PickedImage(1, name, 1.0, -2.0, "/a", None, "PNG", "00")
    path = write_manifest(folder, [Entry("0.png", galaxy, name, True, 1.0, 0.0, 1)], "loss")
    with path.open(encoding="utf-8", newline="") as file:
        row = list(csv.reader(file, skipinitialspace=True))[1]
    # the Panoptes CLI takes for files the columns whose cell in the first row names one
    assert [i for i, cell in enumerate(row) if os.path.exists(os.path.join(folder, cell))] == [0]
    path.unlink()
    assert all(row)
    for cell in (row[1], row[6]):
        assert cell.isprintable()
        assert cell[0] not in "=+-@ \uff1d\uff0b\uff0d\uff20"
        assert not set("/\\~") & set(cell)
        # the upload page takes for files whatever ends like one
        assert not cell.lower().endswith((".png", ".jpg", ".json", ".txt", ".csv", ".mp3"))


def test_refusals_are_told_with_their_reason(out: Path) -> None:
    write_refused(out, [])
    assert not list(out.iterdir())
    write_refused(out, [Reject("/a.tar x.png", None, "=1", "changed image: other bytes")])
    with (out / "refused.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["iauname", "image", "reason"]
    assert rows[1][0].startswith("_1-")
    assert rows[1][1:] == ["/a.tar x.png", "changed image: other bytes"]


def test_a_refusal_is_no_formula(out: Path) -> None:
    write_refused(out, [Reject("=a/b.png", None, "J1", "-2 is no width")])
    with (out / "refused.csv").open() as file:
        assert [*csv.reader(file)][1] == ["J1", "'=a/b.png", "'-2 is no width"]
