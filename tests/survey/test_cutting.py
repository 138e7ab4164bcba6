"""Where a survey is cut."""

import numpy as np
import pytest
from hats.pixel_math.partition_stats import generate_alignment
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.arrays import Ints
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.survey import cutting
from zoolens.catalog.survey.cutting import Sky, count, new_pieces, no_counts, pixels
from zoolens.catalog.survey.folder import FINEST, Piece, write_survey

ORDER = 4


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "COUNTED", ORDER)


def crowd(seed: int, galaxies: int = 400) -> Ints:
    """Pixels of order `FINEST`, many of them close together."""
    random = np.random.default_rng(seed)
    ra = np.concatenate([random.uniform(0, 360, galaxies), 30 + random.normal(0, 4, galaxies)])
    dec = np.concatenate([random.uniform(-90, 90, galaxies), random.normal(0, 4, galaxies)])
    return pixels(ra % 360, dec)


def counted(found: Ints) -> Ints:
    counts = no_counts()
    count(counts, found)
    return counts


def inside(found: Ints, piece: Piece) -> Ints:
    return np.flatnonzero(found >> 2 * (FINEST - piece.order) == piece.pixel)


@pytest.mark.parametrize("most", [60, 120, 10_000])
def test_pieces_are_aligned_as_those_of_hats(most: int) -> None:
    counts = counted(crowd(0))
    aligned = generate_alignment(counts, highest_order=ORDER, threshold=most)
    expected = {Piece(int(order), int(pixel)) for order, pixel, _ in filter(None, aligned)}
    found = new_pieces(counts, most)
    assert {*found} == expected
    assert len(found) == len(expected)


@given(st.integers(0, 1000), st.integers(60, 400))
def test_new_pieces_leave_out_those_there_are(seed: int, most: int) -> None:
    taken = new_pieces(counted(crowd(seed, 40)), 60)
    found = crowd(seed + 1)
    lost = found[Sky(taken).find(found) < 0]
    new = new_pieces(counted(lost), most, taken)
    both = [*taken, *new]
    places = Sky(both).find(found)
    for number, piece in enumerate(both):
        assert np.flatnonzero(places == number).tolist() == inside(found, piece).tolist()
    assert (places >= 0).all()
    of_new = np.bincount(places, minlength=len(both))[len(taken) :]
    assert ((of_new > 0) & (of_new <= most)).all()


def test_the_pieces_make_a_survey(tmp_path: object) -> None:
    taken = new_pieces(counted(crowd(1, 40)), 60)
    found = crowd(2)
    new = new_pieces(counted(found[Sky(taken).find(found) < 0]), 100, taken)
    write_survey(tmp_path, [*taken, *new])  # type: ignore[arg-type]


def test_a_crowd_in_the_finest_pixel_is_refused() -> None:
    found = pixels(np.full(50, 12.0), np.full(50, 34.0))
    assert len(new_pieces(counted(found), 50)) == 1
    with pytest.raises(CatalogError, match=r"50 galaxies lie in one pixel.*--most-rows"):
        new_pieces(counted(found), 49)


def test_without_pieces_nothing_is_found() -> None:
    assert new_pieces(no_counts(), 10) == []
    assert Sky([]).find(np.array([0, 5])).tolist() == [-1, -1]
