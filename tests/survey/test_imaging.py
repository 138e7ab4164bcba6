"""Images of a survey's galaxies, shared out."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from tests.made.catalogues import blank
from zoolens.catalog.formats.extracts import Extracts
from zoolens.catalog.images.sources import ImageEntry, ImageListing
from zoolens.catalog.store.galaxies import galaxy_table, number_galaxies
from zoolens.catalog.store.ingests import begin_ingest
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import Piece
from zoolens.catalog.survey.imaging import share_images

OLD, NEW, OTHER = Piece(0, 1), Piece(0, 2), Piece(0, 3)


def test_an_image_goes_to_the_piece_that_has_its_galaxy_or_gets_it(tmp_path: Path) -> None:
    paths = {piece: tmp_path / f"{piece.pixel}.duckdb" for piece in (OLD, NEW, OTHER)}
    for piece, names in ((OLD, ["A", "B.1"]), (OTHER, ["D"])):
        with Store.open(blank(paths[piece])) as store:
            nan = np.full(len(names), np.nan)
            rows = galaxy_table(number_galaxies(store, names, nan, nan), names, nan, nan)
            store.commit(begin_ingest(store, {}, {}, None), "some", {"galaxy": rows})
    schema = pa.schema([("id", pa.string()), ("file_loc", pa.string())])
    extracts = Extracts(Path("t.csv"), "abc", schema)
    extracts.add(
        tmp_path / "new",
        np.array([1, 2]),
        pa.table({"id": ["C", "E"], "file_loc": ["x/one.png", None]}),
    )
    extracts.finish()
    tar = str(tmp_path / "t.tar")
    entries = [
        *(ImageEntry(name, str(tmp_path / f"{name}.png")) for name in ("A", "one", "F", "D")),
        *(ImageEntry(name, tar, f"{name}.png") for name in ("B_1", "E", "E2", "A")),
    ]
    shared = share_images(
        ImageListing(entries, [], "digest"), paths, {NEW: tmp_path / "new"}, "id", "no position"
    )
    found = {
        piece: [entry.key for entry in shared.of(piece, rejects=False).entries] for piece in paths
    }
    # galaxy C by the path that the table states, B.1 as galaxy-datasets spells it
    assert found == {OLD: ["A", "B_1"], NEW: ["C", "E"], OTHER: ["D"]}
    assert shared.of(OLD, rejects=True) == ImageListing(
        [entries[0], entries[4]], [*shared.rejects], "digest"
    )
    assert shared.of(OLD, rejects=False).rejects == []
    told = [(one.key, one.reason.split(":")[0]) for one in shared.rejects]
    assert told == [
        ("one", "moved image"),
        ("F", "no position"),
        ("E2.png", "no position"),
        ("A.png", "second image"),
    ]
