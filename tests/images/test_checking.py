"""What an ingest records of images, and of those that it refuses."""

import hashlib
import io
from pathlib import Path

from PIL import Image

from tests.made.images import A, B, C, folder, picture, tar
from zoolens.catalog.images.checking import image_rows
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import list_images
from zoolens.catalog.store.kinds import is_refused
from zoolens.catalog.store.tables import arrow_schema


def test_good_images_are_rows_and_others_rejects(tmp_path: Path) -> None:
    png, jpeg = picture(1, side=30), picture(2, "JPEG", side=20)
    folder(tmp_path / "images", {f"{A}.png": png, f"{B}.jpg": jpeg, f"{C}.png": b"no image"})
    entries = list_images(tmp_path / "images").entries
    shard = list(zip([9, 4, 6], entries, strict=True))
    with ImageReader() as reader:
        tables = image_rows(reader, shard)
    assert tables["image"].schema == arrow_schema("image")
    assert tables["image"].to_pylist() == [
        {
            "galaxy_id": number,
            "source": str(tmp_path / "images" / name),
            "member": None,
            "format": kind,
            "height": side,
            "width": side,
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        for number, name, kind, side, data in (
            (4, f"{B}.jpg", "JPEG", 20, jpeg),
            (9, f"{A}.png", "PNG", 30, png),
        )
    ]
    (reject,) = tables["reject"].to_pylist()
    assert reject["source"] == str(tmp_path / "images" / f"{C}.png")
    assert reject["key"] == C
    assert reject["reason"].startswith("unreadable image")


def test_members_of_a_tar_keep_their_names(tmp_path: Path) -> None:
    listing = list_images(tar(tmp_path / "shard.tar", {f"{A}.png": picture(1), f"{B}.png": b""}))
    with ImageReader() as reader:
        tables = image_rows(reader, list(enumerate(listing.entries)))
    assert tables["image"]["member"].to_pylist() == [f"{A}.png"]
    assert tables["reject"]["key"].to_pylist() == [f"{B}.png"]


def test_what_was_converted_is_taken_and_told(tmp_path: Path) -> None:
    grey = io.BytesIO()
    Image.open(io.BytesIO(picture(1))).convert("LA").save(grey, "PNG")
    listing = list_images(folder(tmp_path / "images", {f"{A}.png": grey.getvalue()}))
    with ImageReader() as reader:
        tables = image_rows(reader, list(enumerate(listing.entries)))
    (row,) = tables["image"].to_pylist()
    assert row["sha256"] == hashlib.sha256(grey.getvalue()).hexdigest()
    told = tables["reject"].to_pylist()
    assert [(one["key"], one["kind"]) for one in told] == [(A, "opaque alpha"), (A, "one channel")]
    assert not any(is_refused(one["kind"]) for one in told)


def test_no_images_are_no_rows() -> None:
    with ImageReader() as reader:
        tables = image_rows(reader, [])
    assert {name: len(table) for name, table in tables.items()} == {"image": 0, "reject": 0}
    assert tables["image"].schema == arrow_schema("image")
