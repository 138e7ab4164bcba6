"""File names from galaxy names, which may be anything."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from zoolens.catalog.paths import explanation_stem, subject_stem

LABEL = "how-rounded_round"


def test_ordinary_names_stay_as_they_are() -> None:
    assert explanation_stem("J113514.30-060216.9", LABEL) == f"J113514.30-060216.9_{LABEL}"
    assert explanation_stem("J111606.95+122707.8", LABEL) == f"J111606.95+122707.8_{LABEL}"


@given(st.text(), st.text())
@example("../../etc/passwd", "..")
@example(".hidden", "-rf")
@example("a" * 5000, "a" * 4999)
@example("\x00\n", "CON")
def test_every_name_is_safe_and_apart(one: str, other: str) -> None:
    stems = [explanation_stem(name, LABEL) for name in (one, other)]
    for stem in stems:
        assert re.fullmatch(r"[A-Za-z0-9+_][A-Za-z0-9.+_-]*", stem)
        assert len(stem) < 150
    assert (stems[0] == stems[1]) == (one == other)


@given(st.text(), st.text())
@example("../../etc/passwd", "..")
@example("", ".")
@example("-rf", "+1")
@example("a" * 300, "a" * 299)
@example("J1.png", "J1_png")
def test_images_for_volunteers_are_safe_and_apart(one: str, other: str) -> None:
    stems = [subject_stem(name) for name in (one, other)]
    for stem in stems:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9.+_-]*", stem)
        assert not re.search(r"\.[A-Za-z][A-Za-z0-9]*$", stem)
        assert len(stem) < 150
    assert (stems[0] == stems[1]) == (one == other)
    assert subject_stem("J113514.30-060216.9") == "J113514.30-060216.9"
