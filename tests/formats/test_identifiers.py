"""Identifiers that lost digits are told from those that end in zeros by their making."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoolens.catalog.errors import TableRefused
from zoolens.catalog.formats.identifiers import check_digits, check_notation, is_float

HERE = Path("votes.csv")
# what programs make of an identifier that they hold as float64, written as a whole number
WRITTEN = {
    "printf": lambda number: f"{float(number):.0f}",
    "int64": lambda number: str(int(float(number))),
    "shortest": lambda number: np.format_float_positional(float(number), trim="-"),
    "Excel": lambda number: str(int(f"{number:.14e}"[:16].replace(".", ""))).ljust(
        len(str(number)), "0"
    ),
}
SEEDS = st.integers(0, 2**32 - 1)


def objects(seed: int, size: int = 6) -> list[int]:
    """Names of SDSS objects: sky version, rerun, run, camera column, field, object."""
    random = np.random.default_rng(seed)
    return [
        (1 + seed % 2) << 59 | 301 << 48 | run << 32 | 3 << 29 | field << 16 | number
        for run, field, number in random.integers(
            [94, 11, 64], [8162, 800, 900], (size, 3)
        ).tolist()
    ]


def spectra(seed: int, size: int = 6) -> list[int]:
    """Names of SDSS spectra: plate, fibre, date, reduction, and ten bits of nothing."""
    random = np.random.default_rng(seed)
    drawn = random.integers([266, 1, 1578, 26], [7000, 1001, 9000, 10_000], (size, 4))
    return [
        plate << 50 | fibre << 38 | date << 24 | run2d << 10
        for plate, fibre, date, run2d in drawn.tolist()
    ]


@pytest.mark.parametrize("way", WRITTEN)
@given(SEEDS)
def test_rounded_identifiers_are_refused(way: str, seed: int) -> None:
    with pytest.raises(TableRefused, match="stores objid as floating point, which loses digits"):
        check_digits(HERE, "objid", [WRITTEN[way](number) for number in objects(seed)])


@given(SEEDS)
def test_identifiers_as_they_are_made_are_names(seed: int) -> None:
    check_digits(HERE, "objid", map(str, objects(seed)))
    check_digits(HERE, "specobjid", map(str, spectra(seed)))


@pytest.mark.parametrize(
    "names",
    [
        [f"2020010112{number:02d}000000" for number in range(30)],  # times
        [f"16000000{number:02d}123000000" for number in range(30)],
        ["587722981741363328"],  # one alone is no evidence
        ["587722981741363328", "J1", None, "12345"],
        [str(1000 * number) for number in range(100)],
        [],
    ],
)
def test_others_are_names(names: list[str | None]) -> None:
    check_digits(HERE, "id", names)


@pytest.mark.parametrize(
    "name",
    [
        "5.877229817413633e+17",
        "1.23765E+18",
        "1e+18",
        "587722981741363323.0",
        "587722981741363323.",
    ],
)
def test_numbers_in_floating_point_are_told(name: str) -> None:
    assert is_float(name)
    with pytest.raises(TableRefused, match="floating point"):
        check_notation(HERE, "id", [None, name])
    check_notation(HERE, "id", [name, "J1"])


@given(st.integers(0, 10**19))
def test_whole_numbers_are_not_in_floating_point(number: int) -> None:
    assert not is_float(str(number))


@pytest.mark.parametrize(
    "name", ["12e34567", "J5.0e+3", "20926878.0", "7.", "4.12345", "-", "", "1.2.0", "nan"]
)
def test_names_are_not_in_floating_point(name: str) -> None:
    assert not is_float(name)
