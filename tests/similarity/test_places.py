"""Two ranked lists from which no galaxy is taken twice."""

import itertools

import pytest

from zoolens.catalog.similarity.places import Hit, fill_places


def hits(*pairs: tuple[int, float]) -> list[Hit]:
    return [Hit(*pair) for pair in pairs]


def numbers(some: list[Hit]) -> list[int]:
    return [hit.galaxy_id for hit in some]


def test_lists_without_a_galaxy_in_common_stay() -> None:
    first, second, both = fill_places(hits((1, -1), (2, -2)), hits((3, -1), (4, -5)), 2)
    assert (numbers(first), numbers(second), both) == ([1, 2], [3, 4], [])


@pytest.mark.parametrize(
    ("first_next", "second_next", "expected"),
    [
        (-1.5, -2.0, ([2], [1], [(1, 0)])),  # the first list loses 0.5, the second 1
        (-2.0, -1.5, ([1], [3], [(1, 1)])),
        (-1.5, -1.5, ([1], [3], [(1, 1)])),  # the same: the second gives way
    ],
)
def test_the_one_that_loses_least_gives_way(
    first_next: float, second_next: float, expected: tuple
) -> None:
    first, second, both = fill_places(
        hits((1, -1), (2, first_next)), hits((1, -1), (3, second_next)), 1
    )
    assert (numbers(first), numbers(second), both) == expected


def test_giving_way_to_a_galaxy_of_few_votes_costs_more_than_any_similarity() -> None:
    first, second, _ = fill_places(
        [Hit(1, -1), Hit(2, -1.1, enough=False)], [Hit(1, -1), Hit(3, -9)], 1
    )
    assert (numbers(first), numbers(second)) == ([1], [3])


def test_nobody_to_give_way_to_leaves_a_place_empty() -> None:
    assert fill_places(hits((1, -1)), hits((1, -1)), 2)[:2] == (hits((1, -1)), [])
    first, second, _ = fill_places(hits((1, -1)), hits((1, -1), (2, -7)), 2)
    assert (numbers(first), numbers(second)) == ([1], [2])
    assert fill_places([], hits((1, -1)), 1)[:2] == ([], hits((1, -1)))
    assert fill_places([], [], 1) == ([], [], [])


def test_no_galaxy_twice_and_the_best_of_few_are_the_first_of_many() -> None:
    """All orders of four galaxies beside a fixed one."""
    scores = (-1.0, -2.0, -2.5, -4.0)
    fixed = hits(*zip(range(4), scores, strict=True))
    for order in itertools.permutations(range(4)):
        other = hits(*zip(order, scores, strict=True))
        first, second, _ = fill_places(fixed, other, 2)
        assert len({*numbers(first), *numbers(second)}) == 4
        alone = fill_places(fixed, other, 1)
        assert (alone[0], alone[1]) == (first[:1], second[:1])
