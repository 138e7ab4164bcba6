"""How measures are drawn, and which."""

from typing import Any

import pytest
from matplotlib.figure import Figure

from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.plots import bars, chances, curve, grouped, known, levelled, looks

NAN = float("nan")
LINE = [
    Measure("t", "b", 0.5, 9, 0.4, 0.7, level=0.9, method="new"),
    Measure("t", "a", 0.2, 9, level=0.1, method="hirescam", chance=0.3),
    Measure("t", "a", NAN, 0, level=0.2, method="hirescam"),
    Measure("t", "c", 0.1, 9, method="other"),
]


def test_only_what_has_a_value_and_a_level_makes_a_curve() -> None:
    assert known(LINE, "a", "c") == [LINE[1], LINE[3]]
    assert levelled(LINE, "a", "b", "c") == [LINE[1], LINE[0]]
    assert grouped(LINE, lambda m: m.measure) == {
        "b": [LINE[0]],
        "a": [LINE[1], LINE[2]],
        "c": [LINE[3]],
    }


def test_known_methods_look_the_same_whatever_is_beside_them() -> None:
    found = looks(LINE)
    assert found["hirescam"] == looks(LINE[1:2])["hirescam"]
    assert len(set(found.values())) == len(found) == 3


def test_curves_bars_and_chances_stand_where_the_values_are() -> None:
    axes: Any = Figure().subplots()
    curve(axes, levelled(LINE, "a", "b"), ("#000000", "o"), "x" * 50)
    (line,) = axes.lines
    assert [*line.get_xdata()] == [0.1, 0.9]
    assert [*line.get_ydata()] == [0.2, 0.5]
    assert len(line.get_label()) == 40
    axes = Figure().subplots()
    bars(axes, LINE[:2], [3, 4], ("#000000", "o"), None, floor=0.45)
    segments = axes.collections[0].get_segments()
    assert [segment.tolist() for segment in segments] == [
        [[0.45, 3], [0.7, 3]],
        [[0.45, 4], [0.45, 4]],
    ]
    assert [*axes.lines[0].get_xdata()] == [0.5, pytest.approx(0.45)]
    chances(axes, LINE[:2], [3, 4])
    assert [[*axes.lines[1].get_xdata()], [*axes.lines[1].get_ydata()]] == [[0.3], [4]]
