from pathlib import Path

from tests.made.catalogues import blank
from tests.made.images import A, B, C, folder, picture
from zoolens.catalog.images.committing import commit_images
from zoolens.catalog.images.sources import list_images, pair
from zoolens.catalog.store.ingests import begin_ingest, finish_ingest
from zoolens.catalog.store.store import Store


def test_a_new_galaxy_comes_with_an_image_that_can_be_read(tmp_path: Path) -> None:
    images = {f"{A}.png": picture(0), f"{B}.png": b"no image", f"{C}.png": picture(2)}
    listing = list_images(folder(tmp_path / "images", images))
    numbers = {A: 5, B: 6, C: 7}
    paired, rejects = pair(listing, numbers)
    with Store.open(blank(tmp_path / "gz.duckdb")) as store:
        run = begin_ingest(store, {"tree": None}, {}, None)
        new = {number: name for name, number in numbers.items()}
        commit_images(store, run, paired, rejects, together=2, new=new)
        assert store.value("SELECT count(*) FROM galaxies") == 0, "not before all is done"
        finish_ingest(store, run)
        rows = store.rows("SELECT galaxy_id, iauname, image_sha256 IS NOT NULL FROM galaxies")
        assert sorted(rows) == [(5, A, True), (7, C, True)]
        assert store.rows("SELECT key, kind FROM rejects") == [(B, "unreadable image")]
