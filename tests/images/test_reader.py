from pathlib import Path

import pytest

from tests.images.test_decoding import encoded
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.reader import ImageReader


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
