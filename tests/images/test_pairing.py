"""Which galaxy an image is given to."""

from pathlib import Path
from unicodedata import normalize

import pytest

from tests.made.images import A, B, C, folder, keys, parquet_images, picture, tar
from zoolens.catalog.errors import ImageRefused
from zoolens.catalog.images.pairing import list_stated, named_by_table, names_sought, pair
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.sources import list_images

NFC, NFD = (normalize(form, "Ré-J1") for form in ("NFC", "NFD"))


class TestStatedFiles:
    def test_are_relative_to_the_table(self, tmp_path: Path) -> None:
        folder(tmp_path / "J000", {"a.png": b"1"})
        outside = tmp_path / "b.png"
        files = ["J000/a.png", None, str(outside)]
        listing = list_stated(tmp_path / "votes.csv", [A, B, C], [1, 2, 4], files)
        assert keys(listing) == [A, C]
        assert [entry.source for entry in listing.entries] == [
            str(tmp_path / "J000" / "a.png"),
            str(outside),
        ]
        (reject,) = listing.rejects
        assert reject == (
            str(tmp_path / "votes.csv"),
            2,
            B,
            "votes without image: file_loc is empty",
        )

    @pytest.mark.parametrize(
        "file",
        [
            r"C:\data\images\a.png",
            r"images\a.png",
            r"\\server\share\a.png",
            "/home/somebody/images/a.png",
            r"D:\..\a.png",
        ],
    )
    def test_paths_of_another_machine(self, tmp_path: Path, file: str) -> None:
        folder(tmp_path, {"a.png": b"", "images/a.png": b""})
        listing = list_stated(tmp_path / "votes.csv", [A], [1], [file])
        ((key, source, _),) = listing.entries
        near = "images" if "images" in file else ""
        assert (key, Path(source)) == (A, tmp_path / near / "a.png")
        (reject,) = listing.rejects
        assert (reject.row, reject.key) == (1, A)
        assert reject.reason == f"moved image: not at {file}, but at {source}"

    def test_a_path_of_windows_to_nothing_is_named_so(self, tmp_path: Path) -> None:
        listing = list_stated(tmp_path / "votes.csv", [A], [1], [r"C:\data\a.png"])
        assert not listing.entries
        (reject,) = listing.rejects
        assert reject.reason.startswith(r"missing image: a path of Windows, C:\data\a.png, and")

    def test_two_paths_that_end_alike_are_not_guessed(self, tmp_path: Path) -> None:
        folder(tmp_path, {"a.png": b"", "b.png": b""})
        files = [r"C:\one\a.png", r"C:\two\a.png", r"C:\two\b.png"]
        listing = list_stated(tmp_path / "votes.csv", [A, B, C], [1, 2, 3], files)
        assert keys(listing) == [C]
        assert [(r.key, r.reason.partition(":")[0]) for r in listing.rejects] == [
            (A, "missing image"),
            (B, "missing image"),
            (C, "moved image"),
        ]

    def test_a_relative_path_is_not_sought_elsewhere(self, tmp_path: Path) -> None:
        folder(tmp_path, {"a.png": b""})
        listing = list_stated(tmp_path / "votes.csv", [A], [1], ["J000/a.png"])
        assert [entry.source for entry in listing.entries] == [str(tmp_path / "J000" / "a.png")]
        assert not listing.rejects

    @pytest.mark.parametrize(("stated", "there"), [(NFC, NFD), (NFD, NFC)])
    def test_accents_spelt_otherwise(self, tmp_path: Path, stated: str, there: str) -> None:
        folder(tmp_path, {f"x/{there}.png": b""})
        listing = list_stated(tmp_path / "votes.csv", [A], [1], [f"x/{stated}.png"])
        assert [entry.source for entry in listing.entries] == [str(tmp_path / f"x/{there}.png")]


class TestPairing:
    def test_strangers_and_seconds_are_refused(self, tmp_path: Path) -> None:
        root = folder(tmp_path / "images", {f"{A}.jpeg": b"1", f"{A}.png": b"2", f"{B}.png": b"3"})
        paired, rejects = pair(list_images(root), {A: 7, C: 8})
        assert [(galaxy, Path(entry.source).name) for galaxy, entry in paired] == [(7, f"{A}.jpeg")]
        assert [(r.key, r.reason.split(":")[0]) for r in rejects] == [
            (A, "second image"),
            (B, "image without votes"),
        ]

    def test_the_underscores_of_galaxy_datasets(self, tmp_path: Path) -> None:
        members = {f"{name.replace('.', '_')}.image.jpg": b"" for name in (A, B)}
        listing = list_images(tar(tmp_path / "a.tar", members))
        assert [galaxy for galaxy, _ in pair(listing, {A: 1, B: 2})[0]] == [1, 2]

    def test_but_not_where_they_can_mean_two(self, tmp_path: Path) -> None:
        listing = list_images(tar(tmp_path / "a.tar", {"J1_2_3.png": b"", "J4_5.png": b""}))
        paired, rejects = pair(listing, {"J1.2_3": 1, "J1_2.3": 2, "J4_5": 3, "J4.5": 4})
        assert [galaxy for galaxy, _ in paired] == [3]
        assert [r.key for r in rejects] == ["J1_2_3.png"]

    def test_rejects_of_rows_name_row_and_galaxy(self, tmp_path: Path) -> None:
        path = parquet_images(tmp_path / "t.parquet", [picture(1)] * 3, id=["J1", "J9", "J1"])
        paired, rejects = pair(list_images(path), {"J1": 0})
        assert len(paired) == 1
        assert [(r.row, r.key, r.reason.split(":")[0]) for r in rejects] == [
            (2, "J9", "image without votes"),
            (3, "J1", "second image"),
        ]
        assert "the first, row 1, is kept" in rejects[1].reason

    @pytest.mark.parametrize(("named", "filed"), [(NFC, NFD), (NFD, NFC)])
    def test_accents_spelt_otherwise(self, tmp_path: Path, named: str, filed: str) -> None:
        listing = list_images(folder(tmp_path / "images", {f"{filed}.png": b""}))
        assert named in [*names_sought(listing)]
        assert [galaxy for galaxy, _ in pair(listing, {named: 3})[0]] == [3]
        # but not where they can mean two galaxies
        both = pair(listing, {named: 3, filed: 4})[0]
        assert [galaxy for galaxy, _ in both] == [4]


class TestNamedByTable:
    """Images in a folder that are called as a table's paths end."""

    FILES = (r"C:\data\17.png", "elsewhere/18.png", None)

    def test_by_the_end_of_the_path(self, tmp_path: Path) -> None:
        root = folder(
            tmp_path / "images", {"17.png": b"", "18.png": b"", f"{C}.png": b"", "9.png": b""}
        )
        listing = named_by_table(list_images(root), [A, B, C], self.FILES)
        assert keys(listing) == [A, B, "9", C]
        assert [(r.key, r.reason) for r in listing.rejects] == [
            ("17", f"moved image: of {A}, whose file_loc ends so"),
            ("18", f"moved image: of {B}, whose file_loc ends so"),
        ]
        members = tar(tmp_path / "a.tar", {"x/17.png": b""})
        assert keys(named_by_table(list_images(members), [A, B, C], self.FILES)) == [A]

    def test_a_galaxys_own_name_comes_first(self, tmp_path: Path) -> None:
        listing = list_images(folder(tmp_path / "images", {f"{B}.png": b""}))
        assert named_by_table(listing, [A, B], [f"/x/{B}.png", None]) == listing

    def test_what_several_paths_end_in_is_nobodys(self, tmp_path: Path) -> None:
        listing = list_images(folder(tmp_path / "images", {"1.png": b""}))
        assert named_by_table(listing, [A, B], ["a/1.png", "b/1.png"]) == listing
        assert named_by_table(listing, [A, B], None) == listing


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\0b.png"])
def test_names_that_no_file_has(tmp_path: Path, name: str) -> None:
    listing = list_stated(tmp_path / "v.csv", ["J1"], [1], [name])
    with ImageReader() as reader, pytest.raises(ImageRefused, match="image"):
        reader.inspect(listing.entries[0].source)
