import errno
import os
from pathlib import Path

import pytest

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.serve.adql.parsing import AdqlError
from zoolens.catalog.serve.asking import Limits, scratch_of
from zoolens.catalog.serve.telling import is_full, told, words_of


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "{scratch}/rows.fits could not be written: No space",
            "the answer could not be written: No space",
        ),
        ("{served}/catalog.duckdb is damaged", "the catalogue is damaged"),
        ("{served}/maps/1.cube is gone", "maps/1.cube is gone"),
        ("image '/data/my sdss/J1.png' could not be read", "image 'J1.png' could not be read"),
        ("see https://example.org/a/b; and/or", "see https://example.org/a/b; and/or"),
    ],
)
def test_strangers_are_told_of_no_folder(given: str, said: str, tmp_path: Path) -> None:
    served = tmp_path / "gz-served"
    words = given.format(scratch=scratch_of(os.getpid()), served=served)
    assert told(CatalogError(words), served / "catalog.duckdb") == said


def test_what_a_user_wrote_stays() -> None:
    error = AdqlError("line 1, column 8: no function x near 'a /b/ c'")
    assert told(error, Path("/srv/gz-served/catalog.duckdb")) == str(error)


def test_a_fault_of_ours_is_told_to_nobody() -> None:
    path = Path("catalog.duckdb")
    assert words_of(KeyError("x"), path, Limits()) is None
    assert "1.07 GB of memory" in str(words_of(MemoryError(), path, Limits()))


@pytest.mark.parametrize(("number", "full"), [(errno.ENOSPC, True), (errno.EIO, False)])
def test_what_a_full_disk_stopped_is_known_by_whoever_says_so(
    number: int, full: bool, tmp_path: Path
) -> None:
    refused = pytest.raises(CatalogError, match="could not be written")
    with refused as caught, replacing(tmp_path / "rows.fits"):
        raise OSError(number, os.strerror(number))
    assert is_full(caught.value) == full
