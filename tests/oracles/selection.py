"""A selection written out in Python, from the public views."""

from collections.abc import Callable, Mapping

import numpy as np

from tests.made.catalogues import (
    TOY,
)
from zoolens.catalog.store.store import Store

QUESTIONS = [question.name for question in TOY.questions]


def slow_scores(
    store: Store, by: str, min_votes: float, max_votes: float | None
) -> dict[tuple[str, str], float]:
    """What galaxies are worth, by name and question."""
    most = np.inf if max_votes is None else max_votes
    votes = {
        (row["iauname"], row["question"]): row["total"]
        for row in store.arrow("SELECT * FROM votes").to_pylist()
    }
    found: dict[tuple[str, str], float] = {}
    if by == "loss":
        for row in store.arrow("SELECT * FROM losses").to_pylist():
            key = row["iauname"], row["question"]
            if row["weighted_ce"] is not None and min_votes <= row["total_votes"] <= most:
                found[key] = max(found.get(key, 0.0), row["weighted_ce"])
        return found
    reach = {
        (row["iauname"], row["question"]): row["reach"]
        for row in store.arrow("SELECT * FROM predictions").to_pylist()
    }
    sql = """SELECT iauname, question_id, mutual_information FROM question_prediction
    JOIN galaxy USING (galaxy_id)"""
    for row in store.arrow(sql).to_pylist():
        key = row["iauname"], QUESTIONS[row["question_id"]]
        if row["mutual_information"] is not None and votes.get(key, 0) <= most:
            found[key] = reach[key] * row["mutual_information"]
    return found


def slow_choice(
    worth: Mapping[tuple[str, str], float],
    with_image: set[str],
    by: str,
    budget: int,
    quotas: Mapping[str, int],
    usable: Callable[[str], bool],
) -> list[tuple[str, str, bool]]:
    """Name, question, and whether by quota, of the galaxies of a selection."""
    chosen: list[tuple[str, str, bool]] = []
    names = sorted({name for name, _ in worth if name in with_image and usable(name)})

    def take(score_of: Callable[[str], float], most: int, question: str | None) -> None:
        left = [name for name in names if name not in {row[0] for row in chosen}]
        ranked = sorted((-score_of(name), name) for name in left if score_of(name) > 0)
        for _, name in ranked[:most]:
            best = max(QUESTIONS, key=lambda q: (worth.get((name, q), 0.0), -QUESTIONS.index(q)))
            chosen.append((name, question or best, question is not None))

    def of_all(name: str) -> float:
        values = [worth.get((name, question), 0.0) for question in QUESTIONS]
        return float(sum(values)) if by == "mutual_information" else max(values)

    for question, count in quotas.items():
        take(lambda name, q=question: worth.get((name, q), 0.0), count, question)  # type: ignore[misc]
    take(of_all, budget - len(chosen), None)
    return chosen
