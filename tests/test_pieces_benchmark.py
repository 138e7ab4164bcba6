"""The survey that is timed: galaxies in their pieces, and what is asked of it."""

from pathlib import Path

import numpy as np
import pytest
from hats.pixel_math.spatial_index import compute_spatial_index

from benchmarks import pieces
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import open_survey
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow  # with what they load


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pieces") / "survey"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_PIXELS", [(1, 0), (2, 101)])
        patch.setattr(pieces, "WITH_VOTES", 0.25)
        pieces.make_survey(folder, 800)
    return folder


def test_galaxies_are_in_their_pieces(survey: Path) -> None:
    made = open_survey(survey)
    numbers, names = set(), set()
    for piece, path in zip(made.pieces, made.paths, strict=True):
        assert verify(path).errors == 0
        with Store.open(path, read_only=True) as store:
            rows = store.arrow("SELECT galaxy_id, iauname, ra, dec FROM galaxies")
            assert store.value("SELECT count(DISTINCT galaxy_id) FROM losses") == 100
            assert store.value("SELECT count(*) FROM predictions") == 400 * 34
        place = compute_spatial_index(rows["ra"].to_numpy(), rows["dec"].to_numpy())
        assert set(place >> 2 * (29 - piece.order)) == {piece.pixel}
        numbers |= {*rows["galaxy_id"].to_pylist()}
        names |= {*rows["iauname"].to_pylist()}
    assert len(numbers) == len(names) == 800


def test_what_is_asked_is_answered(survey: Path, tmp_path: Path) -> None:
    path = open_survey(survey).paths[0]
    asked = pieces.questions(path, tmp_path / "release")
    lines = {}
    for work, arguments in asked.items():
        found = pieces.ask(arguments)
        lines[work] = found["lines"]
        assert found["seconds"] > 0
        assert found["core_seconds"] > 0
        assert found["peak_bytes"] > 2**20
    with Store.open(path, read_only=True) as store:
        rows = store.arrow("SELECT ra, dec FROM galaxies")
    ra, dec = (np.radians(rows[name].to_numpy()) for name in ("ra", "dec"))
    ra0, dec0 = np.radians(pieces._CENTRE)
    cosine = np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(ra - ra0)
    within = int((np.degrees(np.arccos(cosine)) < pieces._RADIUS).sum())
    assert within > 0
    del lines["release"]
    assert lines == {"worst ten": 11, "weighted ten": 11, "cone": 1 + within}
    assert (tmp_path / "release").is_dir()


def test_ratios_are_of_medians() -> None:
    rows = [
        {"work": "cone", "of": of, "seconds": seconds}
        for of, seconds in [("survey", 3), ("one", 2), ("survey", 9), ("one", 2), ("survey", 4)]
    ]
    assert pieces.ratios(rows, "seconds") == {"cone": (4, 2)}
