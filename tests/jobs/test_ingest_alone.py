"""Images, or a list of galaxies, ingested without votes."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.jobs.test_ingest import Killed, contents, killed_at, refused, rows
from tests.made.catalogues import blank
from tests.made.images import folder, picture, tar
from tests.made.vote_tables import FEW, decals, names, write
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.store.store import Store
from zoolens.jobs.ingest import ingest
from zoolens.jobs.predict import predict
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

NAMES = names(6)


@pytest.fixture
def gz(tmp_path: Path) -> Path:
    return blank(tmp_path / "gz.duckdb")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Images of six galaxies, of which the third cannot be read."""
    files = {f"{name}.png": picture(i) for i, name in enumerate(NAMES)}
    return folder(tmp_path / "images", {**files, f"{NAMES[2]}.png": b"none"})


def named(catalog: Path) -> dict[str, str | None]:
    return {row["iauname"]: row["image"] for row in rows(catalog, "SELECT * FROM galaxies")}


def test_galaxies_are_named_after_their_images(gz: Path, images: Path) -> None:
    (images / "not a\x07name.png").write_bytes(picture(8))
    (images / "notes.txt").write_text("beside them")
    report = ingest(gz, images=images)
    assert (report.galaxies, report.new_galaxies, report.images) == (5, 5, 5)
    assert report.tree is None
    assert {*named(gz)} == {*NAMES} - {NAMES[2]}
    assert rows(gz, "SELECT DISTINCT ra, dec FROM galaxies") == [{"ra": None, "dec": None}]
    assert [kind for _, _, kind in refused(gz)] == [
        "unreadable image",
        "unusable identifier",
        "not an image",
    ]
    assert not ingest(gz, images=images).changed
    assert verify(gz).errors == 0


def test_names_come_from_containers_too(gz: Path, tmp_path: Path) -> None:
    first, second = NAMES[:2]
    shard = {f"{first.replace('.', '_')}.image.png": picture(0), f"{first}.json": b"{}"}
    ingest(gz, write(tmp_path / "votes.csv", decals(FEW[:1], called=[first])))
    report = ingest(gz, images=tar(tmp_path / "a.tar", {**shard, f"{second}.png": picture(1)}))
    assert (report.new_galaxies, report.images) == (1, 2)
    assert {*named(gz)} == {first, second}
    assert all(named(gz).values())


def test_a_killed_ingest_goes_on_with_the_same_numbers(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoolens.jobs.ingest.IMAGES_A_SHARD", 2)
    whole = blank(tmp_path / "whole.duckdb")
    ingest(whole, images=images)
    expected = contents(whole, "galaxies", "rejects")
    writes = 0
    while True:
        gz = blank(tmp_path / "killed.duckdb")
        try:
            with killed_at(monkeypatch, writes):
                ingest(gz, images=images)
            break
        except Killed:
            assert named(gz) == {}
        ingest(gz, images=images)
        assert contents(gz, "galaxies", "rejects") == expected
        writes += 3
        gz.unlink()
    assert writes > 5


def test_an_abandoned_ingest_leaves_no_tree(
    gz: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    votes = write(tmp_path / "votes.csv", decals(FEW))
    with killed_at(monkeypatch, 9), pytest.raises(Killed):
        ingest(gz, votes)
    assert ingest(gz, images=images).tree is None
    with Store.open(gz, read_only=True) as store, pytest.raises(CatalogError, match="no decision"):
        _ = store.tree
    assert ingest(gz, votes).tree == "gzd5"


def test_the_images_of_a_second_folder_replace_and_add(
    gz: Path, images: Path, tmp_path: Path
) -> None:
    ingest(gz, images=images)
    second = folder(tmp_path / "more", {f"{NAMES[0]}.png": picture(9), "new.png": picture(10)})
    report = ingest(gz, images=second)
    assert (report.new_galaxies, report.images) == (1, 2)
    replaced, added = report.notes
    assert replaced == f"replaced: images of 1 galaxy, from {images}"
    assert added == "1 image is of a galaxy that the catalogue of 5 did not have, and now has: new"
    assert named(gz)[NAMES[0]] == str(second / f"{NAMES[0]}.png")
    assert named(gz)[NAMES[1]] == str(images / f"{NAMES[1]}.png")


def test_a_list_says_which_galaxies_there_are(gz: Path, images: Path, tmp_path: Path) -> None:
    table = pd.DataFrame({"iauname": [*NAMES[1:4], "bare"], "ra": range(4), "dec": 1.5, "z": 0.1})
    table.to_csv(tmp_path / "list.csv", index=False)
    report = ingest(gz, tmp_path / "list.csv", images=images)
    assert (report.galaxies, report.images, report.voted) == (4, 2, False)
    assert {name for name, image in named(gz).items() if image} == {NAMES[1], NAMES[3]}
    assert rows(gz, "SELECT ra FROM galaxies ORDER BY ra") == [{"ra": float(i)} for i in range(4)]
    assert sorted(kind for _, _, kind in refused(gz)) == [
        "galaxy without image",
        *["image without galaxy"] * 3,
        "unreadable image",
    ]
    assert "votes" not in " ".join(report.rejects)
    assert not ingest(gz, tmp_path / "list.csv", images=images).changed


def test_a_list_gives_positions_to_galaxies_that_have_none(
    gz: Path, images: Path, tmp_path: Path
) -> None:
    ingest(gz, images=images)
    (tmp_path / "list.csv").write_text(f"iauname,RA,DEC\n{NAMES[0]},10,20\n")
    assert ingest(gz, tmp_path / "list.csv").new_galaxies == 0
    found = rows(gz, "SELECT iauname, ra, dec FROM galaxies WHERE ra IS NOT NULL")
    assert found == [{"iauname": NAMES[0], "ra": 10.0, "dec": 20.0}]


def test_a_list_may_say_where_the_images_are(gz: Path, images: Path, tmp_path: Path) -> None:
    text = f"id_str,file_loc\nA,images/{NAMES[0]}.png\nB,\n"
    (tmp_path / "list.csv").write_text(text)
    assert ingest(gz, tmp_path / "list.csv").images == 1
    assert named(gz) == {"A": str(images / f"{NAMES[0]}.png"), "B": None}
    assert refused(gz) == [(2, "B", "galaxy without image")]


def test_there_has_to_be_something(gz: Path, images: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="nothing to ingest"):
        ingest(gz)
    with pytest.raises(CatalogError, match="has an image; add them"):
        predict(gz, "model.ckpt")
    ingest(gz, images=images, tree="gz2")
    with Store.open(gz, read_only=True) as store:
        assert store.tree.name == "gz2", "it was named, and holds"
    with pytest.raises(CatalogError, match="is of tree gz2, not gzd5"):
        ingest(gz, write(tmp_path / "votes.csv", decals(FEW)), tree="gzd5")
    shutil.rmtree(images)
    with pytest.raises(CatalogError, match="is no source of images"):
        ingest(gz, images=images)
