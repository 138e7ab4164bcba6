import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.adql.translate import translate
from zoolens.catalog.serve.links.regions import condition, region_of
from zoolens.catalog.store.linked import galaxies_within
from zoolens.catalog.store.published import published

_TABLES = published()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("CIRCLE 12.5 -30 0.25", (12.5, -30.0, 0.25)),
        ("circle 0 90 1e-9", (0.0, 90.0, 1e-9)),
        ("RANGE 10 20 -5 5", (10.0, 20.0, -5.0, 5.0)),
        ("RANGE 10 20 -Inf +Inf", (10.0, 20.0, float("-inf"), float("inf"))),
        ("POLYGON 0 0 10 0 10 10", (0.0, 0.0, 10.0, 0.0, 10.0, 10.0)),
    ],
)
def test_a_region_becomes_a_condition_that_adql_takes(
    text: str, numbers: tuple[float, ...]
) -> None:
    region = region_of(text)
    assert region[1] == numbers
    assert "galaxies" in translate(galaxies_within([condition(region)]), _TABLES, 10).sql


def test_limits_without_end_are_those_of_the_sphere() -> None:
    assert condition(region_of("RANGE -Inf +Inf 10 +Inf")) == (
        "ra BETWEEN 0.0 AND 360.0 AND dec BETWEEN 10.0 AND 90.0"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", "CIRCLE", "CIRCLE 1 2", "CIRCLE 1 2 3 4", "CIRCLE a b c", "BOX 1 2 3 4"),
        *("CIRCLE 361 0 1", "CIRCLE 0 91 1", "CIRCLE 0 0 -1", "CIRCLE 0 0 181", "CIRCLE 0 0 nan"),
        *("CIRCLE 0 0 inf", "RANGE 2 1 0 1", "RANGE 0 1 2 1", "POLYGON 0 0 1 1", "POLYGON 1 2 3"),
        *("POLYGON " + "1 " * 300, "CIRCLE 1_0 0 1", "RANGE 0 1 0 nan", "CIRCLE 0 0 1); DROP"),
    ],
)
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(CatalogError, match="POS"):
        region_of(text)


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(0, 180))
def test_numbers_arrive_as_they_were_given(lon: float, lat: float, radius: float) -> None:
    written = condition(region_of(f"CIRCLE {lon!r} {lat!r} {radius!r}"))
    assert [*map(float, re.findall(r"[-+\d.e]*\d", written.split("CIRCLE")[1]))] == [
        *(lon, lat, radius)
    ]
