"""Parts of the sky as protocols name them (DALI 1.1, section 3.3), and as conditions of ADQL."""

import math

from zoolens.catalog.serve.asking import Region
from zoolens.catalog.serve.tap.parameters import BadRequest

_MOST = 200  # numbers of a region
_COUNTS = {"CIRCLE": lambda n: n == 3, "RANGE": lambda n: n == 4}
_WORDS = "CIRCLE LON LAT RADIUS, RANGE LON1 LON2 LAT1 LAT2 or POLYGON LON1 LAT1 LON2 LAT2 ..."


def region_of(text: str) -> Region:
    """The region that a value of POS names. Raises `BadRequest` if it is none."""
    kind, *given = text.upper().split() or [""]
    numbers = tuple(number_of(one, "POS") for one in given)
    polygon = kind == "POLYGON" and 6 <= len(numbers) <= _MOST and len(numbers) % 2 == 0
    if not (polygon or _COUNTS.get(kind, lambda n: False)(len(numbers))):
        raise BadRequest(f"POS={text[:80]}; it is {_WORDS}, in degrees")
    places: list[tuple[float, float]] = []
    if kind == "RANGE":
        west, east, south, north = numbers
        if west > east or south > north:
            raise BadRequest(f"POS={text[:80]}; the lower of two limits comes first")
        places = [(max(west, 0.0), max(south, -90.0)), (min(east, 360.0), min(north, 90.0))]
    elif not all(map(math.isfinite, numbers)):
        raise BadRequest(f"POS={text[:80]}; only a RANGE has infinite limits")
    elif kind == "CIRCLE":
        places = [(numbers[0], numbers[1])]
        if not 0 <= numbers[2] <= 180:
            raise BadRequest(f"POS={text[:80]}; RADIUS is 0 to 180, in degrees")
    else:
        places = [*zip(numbers[::2], numbers[1::2], strict=True)]
    if not all(0 <= lon <= 360 and -90 <= lat <= 90 for lon, lat in places):
        raise BadRequest(f"POS={text[:80]}; LON is 0 to 360, LAT -90 to 90, in degrees")
    return kind, numbers


def number_of(text: str, name: str) -> float:
    """A number, or an infinite one; raises `BadRequest` if it is none. name: the parameter's."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value) or "_" in text:
        raise BadRequest(f"{name} has {text[:40]}, which is no number")
    return value


def condition(region: Region) -> str:
    """A region as a condition of ADQL on `ra` and `dec`."""
    kind, numbers = region
    if kind != "RANGE":
        return f"1 = CONTAINS(POINT(ra, dec), {kind}({', '.join(map(_written, numbers))}))"
    west, east, south, north = numbers
    limits = ((west, east, 0.0, 360.0), (south, north, -90.0, 90.0))
    low_high = [(max(low, least), min(high, most)) for low, high, least, most in limits]
    return " AND ".join(
        f"{name} BETWEEN {_written(low)} AND {_written(high)}"
        for name, (low, high) in zip(("ra", "dec"), low_high, strict=True)
    )


def _written(value: float) -> str:
    """A number as ADQL has it: Python writes it so that it is read as the same."""
    return f"{value!r}" if value == 0 or 1e-4 <= abs(value) < 1e15 else f"{value:.17e}"
