"""Files beside the catalogue are what was noted, or are not used."""

import os
from pathlib import Path

from tests.made.catalogues import blank
from zoolens.catalog.runtime.files import part_checksums, sha256_of
from zoolens.catalog.store.beside import file_is_sound, note_file
from zoolens.catalog.store.store import Store


def test_a_file_is_sound_as_long_as_its_bytes_are_those_that_were_noted(tmp_path: Path) -> None:
    file = tmp_path / "gz.observed.arrow"
    file.write_bytes(bytes(range(256)) * 10)
    sums = [sha256_of(file)]
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        assert file_is_sound(store, file, sums), "by its SHA-256, without a note"
        note_file(store, file, sums[0])
        assert file_is_sound(store, file, sums)
        assert not file_is_sound(store, file, ["another"])
        assert not file_is_sound(store, tmp_path / "none", sums)
        times = file.stat().st_atime_ns, file.stat().st_mtime_ns
        with file.open("r+b") as content:
            content.seek(1000)
            content.write(b"!")
        os.utime(file, ns=times)
        part_checksums.cache_clear()  # as in another process
        assert not file_is_sound(store, file, sums), "rotten, though of the same size and time"


def test_a_copied_catalogue_knows_the_files_copied_with_it(tmp_path: Path) -> None:
    file = tmp_path / "gz.observed.arrow"
    file.write_bytes(b"index")
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        note_file(store, file, sha256_of(file))
        copied = file.rename(tmp_path / "other.observed.arrow")
        assert file_is_sound(store, copied, [sha256_of(copied)])
