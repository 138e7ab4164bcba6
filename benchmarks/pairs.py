"""How fair counterparts are: by which exchange, and asked of whom.

    python -m benchmarks.pairs NAME=CATALOGUE[=TRUTH] ...

For the worst galaxies of each catalogue (`zoolens worst`), each on its costliest answer, finds the
best counterparts in several ways and measures, with 95 % bootstrap intervals over galaxies:

question        largest difference between a counterpart's fractions of the question of interest
                and those asked for: what the model predicts of it, or volunteers voted
answer          the same of the answer of interest alone
other questions the same of each other question that both were asked, averaged: what was to stay
close           share of pairs that `Target` calls close
unasked, few    share of counterparts of which nobody, or fewer than ten, were asked the question
both places     share of galaxies whose two counterparts are the same galaxy
true question   where the truth of a simulated sky is given: as `question`, of an observed
                counterpart's true chances, of which its votes are a sample

The paper's way exchanges one answer, among all galaxies, whoever was asked. Writes
results/pairs.json.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.similarity.described import fractions_of
from zoolens.catalog.similarity.exchange import (
    Exchange,
    default_weights,
    exchanged,
    part_exchanged,
)
from zoolens.catalog.similarity.files import KINDS, load_index
from zoolens.catalog.similarity.places import fill_places
from zoolens.catalog.similarity.queries import (
    Known,
    Queries,
    Source,
    make_queries,
    ranked,
    read_known,
)
from zoolens.catalog.similarity.target import Target
from zoolens.catalog.store.galaxies import names_of
from zoolens.catalog.store.matrices import voted_galaxies
from zoolens.catalog.store.ranking import rank_galaxies
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store

RESULTS = Path(__file__).parent / "results" / "pairs.json"
GALAXIES = 500
RESAMPLED = 2000
PAPERS = "the paper's"
ON_THE_ANSWER = "question, weight on the answer, asked of 10"
WAYS: dict[str, tuple[Exchange, float]] = {
    PAPERS: ("answer", 0),
    "answer, asked of 10": ("answer", 10),
    ON_THE_ANSWER: ("question", 10),
    "question, asked of 1": ("question", 1),
    "question, asked of 5": ("question", 5),
    "question, asked of 10": ("question", 10),
    "question, asked of 20": ("question", 20),
}


def main() -> None:
    """Measure, print and write."""
    results = {}
    for argument in sys.argv[1:]:
        name, path, *truth = argument.split("=")
        with Store.open(Path(path), read_only=True) as store:
            results[name] = measured(store, true_chances(store, *truth) if truth else None)
        for kind, ways in results[name]["kinds"].items():
            print(f"\n{name}: {kind} counterparts of {results[name]['galaxies']} galaxies")
            for way, found in ways.items():
                said = [f"{key} {_said(value)}" for key, value in found.items()]
                print(f"  {way:<45}{'; '.join(said)}")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def true_chances(store: Store, truth: str) -> Floats:
    """The chances (N, A) that the votes of a simulated sky were drawn from, by number."""
    table, ids = pd.read_parquet(truth).set_index("iauname"), voted_galaxies(store)
    columns = [f"{label}_probability" for label in store.tree.labels]
    names = names_of(store, ids)
    chances = np.full((ids[-1] + 1, len(columns)), np.nan)
    chances[ids] = table.loc[[names[number] for number in ids.tolist()], columns]
    return chances


def measured(store: Store, truth: Floats | None) -> dict[str, Any]:
    """All figures of one catalogue; truth (N, A), by number of galaxy."""
    worst = rank_galaxies(store, GALAXIES, min_votes=FEWEST_VOTES)
    ids, answers = (worst[name].to_numpy() for name in ("galaxy_id", "answer_id"))
    known = read_known(Source.of(store), ids)
    kinds: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for way in WAYS:
        pairs = counterparts(store, way, ids, answers)
        same = np.mean(pairs[0] == pairs[1])
        for kind, found in zip(KINDS, pairs, strict=True):
            figures = fairness(store, kind, known, answers, found)
            if truth is not None and kind == "observed":
                there = Known(truth[found], truth[found], known.totals)
                off = fairness(store, kind, known, answers, found, there)["question"]
                figures["true question"] = off
            kinds[kind][way] = {**figures, "both places": round(float(same), 3)}
    return {"galaxies": len(ids), "among": len(load_index(store, "observed")), "kinds": kinds}


def counterparts(store: Store, way: str, ids: Ids, answers: Ids) -> list[Ids]:
    """The best observed and the best predicted counterpart of each galaxy, two arrays (N,)."""
    exchange, fewest = WAYS[way]
    if way == PAPERS:
        known, part = (
            read_known(Source.of(store), ids),
            part_exchanged(store.tree, answers, "answer"),
        )
        found = []
        for kind, own, other in (
            ("observed", known.observed, known.predicted),
            ("predicted", known.predicted, known.observed),
        ):
            searched = load_index(store, kind).search_many(
                exchanged(own, other, part), default_weights(part), 1, exclude=ids.tolist()
            )
            found.append(np.array([best[0] for best, _ in searched]))
        return found
    source = Source.of(store)
    known = read_known(source, ids)
    queries = make_queries(source, ids, answers, known, None, fewest, exchange)
    if way == ON_THE_ANSWER:
        weights = default_weights(part_exchanged(store.tree, answers, "answer"))
        queries = Queries(**{**vars(queries), "weights": weights})
    hits = [ranked(source, kind, queries, 2) for kind in KINDS]
    filled = [fill_places(one, other, 1)[:2] for one, other in zip(*hits, strict=True)]
    return [np.array([pair[kind][0].galaxy_id for pair in filled]) for kind in (0, 1)]


def fairness(
    store: Store,
    kind: str,
    known: Known,
    answers: Ids,
    found: Ids,
    others: Known | None = None,
) -> dict[str, dict[str, Any] | float]:
    """Figures of the pairs of N galaxies and their counterparts, by one kind.

    others: what the counterparts have, the catalogue's votes and predictions unless given.
    """
    tree, others = store.tree, others or read_known(Source.of(store), found)
    own, have = getattr(known, kind), getattr(others, kind)
    target = known.predicted if kind == "observed" else known.observed
    off, off_answer, elsewhere, close, votes = [], [], [], [], []
    for row, answer in enumerate(answers.tolist()):
        question = int(tree.question_of[answer])
        asked = fractions_of(tree, answer, target[row])
        there = fractions_of(tree, answer, have[row])
        noisy = others if kind == "observed" else known
        place = answer - tree.slices[question].start
        pair = Target(
            tree.questions[question].answers, place, asked, there, noisy.totals[row, question]
        )
        votes.append(others.totals[row, question])
        off.append(np.nan if pair.distance is None else pair.distance)
        off_answer.append(abs(target[row, answer] - have[row, answer]))
        close.append(pair.close)
        differences = [
            np.max(np.abs(own[row, where] - have[row, where]))
            for number, where in enumerate(tree.slices)
            if number != question and min(known.totals[row, number], others.totals[row, number]) > 0
        ]
        elsewhere.append(np.mean(differences) if differences else np.nan)
    asked_of = np.array(votes)
    return {
        "question": interval(off),
        "answer": interval(off_answer),
        "other questions": interval(elsewhere),
        "close": interval(close),
        "unasked": round(float(np.mean(asked_of == 0)), 3),
        "few": round(float(np.mean(asked_of < FEWEST_VOTES)), 3),
        "median votes": round(float(np.median(asked_of)), 1),
    }


def interval(values: Sequence[float] | Floats) -> dict[str, Any]:
    """The mean of what is known, its 95 % bootstrap interval, and of how many."""
    known = np.array(values, np.float64)
    known = known[~np.isnan(known)]
    random = np.random.default_rng(0)
    means = [known[random.integers(len(known), size=len(known))].mean() for _ in range(RESAMPLED)]
    low, high = np.quantile(means, [0.025, 0.975])
    rounded = [round(float(value), 3) for value in (known.mean(), low, high)]
    return {"mean": rounded[0], "interval": rounded[1:], "of": len(known)}


def _said(value: Mapping[str, Any] | float) -> str:
    if not isinstance(value, Mapping):
        return f"{value:g}"
    low, high = value["interval"]
    return f"{value['mean']:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
