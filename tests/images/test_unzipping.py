import gzip
from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError, ImageRefused
from zoolens.catalog.images.unzipping import starts, unzipped, unzipped_file

CONTENT = bytes(range(256)) * 5000


class TestData:
    def test_one_member_or_several_and_padding(self) -> None:
        data = gzip.compress(CONTENT)
        assert unzipped(data, len(CONTENT)) == CONTENT
        assert unzipped(data + data + bytes(9), 2 * len(CONTENT)) == CONTENT * 2
        assert starts(data) == CONTENT[:100]
        assert starts(b"no gzip") == b""

    def test_more_than_is_allowed(self) -> None:
        data = gzip.compress(CONTENT)
        for given in (data, gzip.compress(b"x") + data):
            with pytest.raises(ImageRefused, match="too large an image: gzip of more than"):
                unzipped(given, len(CONTENT) - 1)

    def test_every_truncation_and_damage(self) -> None:
        data = gzip.compress(CONTENT[:500])
        for length in range(2, len(data)):
            with pytest.raises(ImageRefused, match="truncated image"):
                unzipped(data[:length], 10**6)
        with pytest.raises(ImageRefused, match="unreadable image: gzip"):
            unzipped(data[:-8] + b"12345678", 10**6)


class TestFile:
    @pytest.mark.parametrize("members", [1, 3])
    def test_its_content(self, tmp_path: Path, members: int) -> None:
        path = tmp_path / "a.gz"
        path.write_bytes(gzip.compress(CONTENT) * members + bytes(20))
        with unzipped_file(path, 10**8) as file:
            assert file.read() == CONTENT * members
        assert [one.name for one in tmp_path.iterdir()] == ["a.gz"]

    def test_what_is_there_of_a_damaged_one(self, tmp_path: Path) -> None:
        path = tmp_path / "a.gz"
        path.write_bytes(gzip.compress(CONTENT)[:-2000])
        with unzipped_file(path, 10**8) as file:
            part = file.read()
        assert CONTENT.startswith(part)
        assert len(part) > 1000

    def test_more_than_is_allowed(self, tmp_path: Path) -> None:
        path = tmp_path / "a.gz"
        path.write_bytes(gzip.compress(bytes(10**8)))
        with pytest.raises(CatalogError, match="decompresses to more than 1,000,000 bytes; gunzip"):
            unzipped_file(path, 10**6)

    def test_what_is_no_gzip(self, tmp_path: Path) -> None:
        (tmp_path / "a.gz").write_bytes(b"no")
        with pytest.raises(CatalogError, match="is not gzip, as its name says"):
            unzipped_file(tmp_path / "a.gz", 10**6)
