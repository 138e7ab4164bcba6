"""What is said of counterparts, by hand."""

import numpy as np

from tests.made.catalogues import TOY
from zoolens.catalog.similarity.candidates import Candidates
from zoolens.catalog.similarity.found import Counterpart, not_close, notes_of
from zoolens.catalog.similarity.target import Target


def one(number: int, votes: float, found: float = 0.5) -> Counterpart:
    target = Target(("merger", "none"), 0, (0.5, 0.5), (found, 1 - found), 40)
    return Counterpart(number, f"G{number}", -1.0, target, votes)


def notes(
    tier: list[int], observed: list[Counterpart], predicted: list[Counterpart], k: int = 1
) -> tuple[str, ...]:
    candidates = Candidates(np.arange(len(tier)), np.array(tier, np.uint8), 10)
    return notes_of(TOY, TOY.answer_id("merging_none"), candidates, 0, k, (observed, predicted), ())


def test_of_a_fair_pair_there_is_nothing_to_say() -> None:
    assert notes([2, 2, 2], [one(1, 10)], [one(2, 99)]) == ()


def test_few_votes_are_said_and_named() -> None:
    few = [one(number, number / 2) for number in range(1, 7)]
    said = notes([2, 1, 1, 1, 1, 1, 1], few[:3], few[3:], 3)
    assert said == (
        "Only 0 other galaxies have 10 votes on merging, and predictions; of fewer votes: "
        "G1 (0.5), G2 (1), G3 (1.5), G4 (2) and 2 more.",
    )


def test_empty_places_are_explained() -> None:
    assert notes([2, 0], [], []) == (
        "No counterparts: no other galaxy has 10 votes on merging, and predictions.",
    )
    assert notes([0, 2], [one(1, 10)], []) == (
        "Only 1 other galaxy has 10 votes on merging, and predictions: no more counterparts.",
    )


def test_the_best_alone_is_called_not_close() -> None:
    said = notes([2, 2, 2, 2], [one(1, 40, 0.9)], [one(2, 40)])
    assert said == (
        "The best observed counterpart of 3 is not close: merger 0.90, asked for 0.50.",
    )
    fewer = notes([2, 2, 1, 1], [one(1, 40, 0.9)], [one(2, 5, 0.9)])[-2:]
    assert [note.split(" is ")[0] for note in fewer] == [
        "The best observed counterpart of 1",  # of those asked of as many
        "The best predicted counterpart of 3",
    ]
    assert not_close(one(1, 40), "galaxy", 3) == ""
    assert not_close(Counterpart(1, "G1", -1.0), "galaxy", 3) == ""
