"""The gallery of a survey, beside that of the one catalogue that it was cut from."""

from pathlib import Path

import pytest

from tests.made.galleries import gallery_catalogue, page_data
from tests.made.placed import place, survey_of
from tests.made.releases import TITLE
from zoolens.jobs.release import release
from zoolens.jobs.settings import Cut

pytestmark = pytest.mark.slow


def test_a_gallery_is_that_of_the_whole(tmp_path: Path) -> None:
    whole = gallery_catalogue(tmp_path)
    place(whole)
    survey = survey_of(whole, tmp_path / "survey")
    cut = Cut(formats=[], gallery=9, min_votes=3)
    for number, catalog in enumerate((whole, survey)):
        release(catalog, tmp_path / str(number), TITLE, cut)
    galleries = [tmp_path / number / "gallery" for number in "01"]
    assert page_data(galleries[0]) == page_data(galleries[1])
    names = [sorted(file.name for file in one.rglob("*") if file.is_file()) for one in galleries]
    assert names[0] == names[1]
    assert len(names[0]) > 20
    for one in galleries[0].rglob("*.*"):
        other = galleries[1] / one.relative_to(galleries[0])
        assert one.read_bytes() == other.read_bytes(), one
