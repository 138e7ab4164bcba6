"""Does it help to weight doubtful votes down? Votes with known errors, truth known.

    python -m benchmarks.down_weighting SKY [SEEDS]

SKY is a folder of `zoolens simulate`. Volunteers are drawn anew from its true answer
probabilities, with known rates of errors. What is trained is the head of the bundled
model, from nothing, on the features of its encoder, by Zoobot's loss: first on the votes
as they are; then again as they are, and once more with each vote worth its credence under
the first (`catalog.scoring.credence`, as `train --down-weight-noisy` has it, told the rate of
errors). Galaxies held out by `catalog.store.galaxies` are compared with the truth: the expected
log likelihood of an errorless vote under the predicted fractions, nat a vote asked for,
and the mean absolute error of fractions. Writes every seed's results to
results/down_weighting.json.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from pyarrow import csv

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.truth import read_truth
from zoolens.catalog.images.view import View
from zoolens.catalog.network.inference import features
from zoolens.catalog.network.model import load_model
from zoolens.catalog.paths import BUNDLED_MODEL
from zoolens.catalog.scoring.credence import credence
from zoolens.catalog.sky.volunteers import Crowd, cast_votes
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.training.tree_model import question_losses
from zoolens.catalog.trees.published import get_tree

RESULTS = Path(__file__).parent / "results" / "down_weighting.json"
CROWDS = {
    "as simulated": Crowd(),
    "a tenth at random": Crowd(error_rate=0.1),
    "a third at random": Crowd(error_rate=0.3),
    "a third at random, 5 votes each": Crowd(error_rate=0.3, share_many=0.0),
    "a tenth of galaxies misvoted": Crowd(misvote_rate=0.1),
}
EPOCHS, BATCH, RATE, DROPOUT = 25, 256, 3e-3, 0.2


def encoded(sky: Path) -> tuple[list[str], torch.Tensor]:
    """Names and standardised features (N, D) of a sky's galaxies."""
    table = csv.read_csv(sky / "votes.csv").select(["iauname", "file_loc"]).to_pydict()
    model = load_model(str(BUNDLED_MODEL))
    view = model.view or View()
    parts = []
    for start in range(0, len(table["file_loc"]), 64):
        files = table["file_loc"][start : start + 64]
        images = [view.prepare(Image.open(sky / file).convert("RGB")) for file in files]
        parts.append(features(model.encoder, torch.stack(images)))
    found = torch.cat(parts)
    return table["iauname"], (found - found.mean(0)) / (found.std(0) + 1e-6)


def head(
    tree: DecisionTree, found: torch.Tensor, votes: Floats, split: npt.NDArray[np.str_], seed: int
) -> Floats:
    """Concentrations (N, A) of a head trained on votes (N, A), of its best epoch."""
    torch.manual_seed(seed)
    groups = [(where.start, where.stop - 1) for where in tree.slices]
    linear = torch.nn.Linear(found.shape[1], len(tree.labels))
    torch.nn.init.zeros_(linear.weight)
    torch.nn.init.constant_(linear.bias, -2.5)
    optimizer = torch.optim.AdamW(linear.parameters(), lr=RATE, weight_decay=1e-2)
    counts = torch.tensor(votes, dtype=torch.float32)
    train, check = (torch.tensor(np.flatnonzero(split == s)) for s in ("train", "validation"))
    best, lowest = np.empty(0), np.inf
    for _ in range(EPOCHS):
        for rows in train[torch.randperm(len(train))].split(BATCH):
            dropped = torch.nn.functional.dropout(found[rows], DROPOUT)
            alpha = 1 + 100 * torch.sigmoid(linear(dropped))
            optimizer.zero_grad()
            question_losses(alpha, counts[rows], groups).sum(1).mean().backward()
            optimizer.step()
        with torch.no_grad():
            alpha = 1 + 100 * torch.sigmoid(linear(found))
            loss = float(question_losses(alpha[check], counts[check], groups).sum(1).mean())
        if loss < lowest:
            best, lowest = alpha.double().numpy(), loss
    return best


def against_truth(tree: DecisionTree, alpha: Floats, truth: Floats) -> dict[str, float]:
    """Expected log likelihood a vote, nat, and mean absolute error, by true reach."""
    reach = tree.reach(truth)
    likelihood = error = 0.0
    for question, where in enumerate(tree.slices):
        fractions = alpha[:, where] / alpha[:, where].sum(axis=1, keepdims=True)
        weight = reach[:, question]
        likelihood += float(weight @ (truth[:, where] * np.log(fractions)).sum(axis=1))
        error += float(weight @ np.abs(truth[:, where] - fractions).mean(axis=1))
    return {"likelihood": likelihood / reach.sum(), "error": error / reach.sum()}


def compare(sky: Path, seeds: int) -> list[dict[str, Any]]:
    """Results of each crowd and seed."""
    tree = get_tree("gzd5")
    names, found = encoded(sky)
    truth = read_truth(sky / "truth.parquet", names, tree).probabilities
    split = split_galaxies(names, 0, 0.3)
    test = split == "test"
    results = []
    for name, crowd in CROWDS.items():
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            votes = np.array([cast_votes(rng, tree, row, crowd).counts for row in truth], float)
            first = head(tree, found, votes, split, seed)
            rate = max(crowd.error_rate, crowd.misvote_rate)
            worth = credence(votes, first[:, None], tree, rate)
            trained = {
                "as they are": head(tree, found, votes, split, seed + 1000),
                "weighted down": head(tree, found, votes * worth, split, seed + 1000),
            }
            scores = {k: against_truth(tree, a[test], truth[test]) for k, a in trained.items()}
            results.append({"crowd": name, "settings": asdict(crowd), "seed": seed, **scores})
            print(name, seed, scores, flush=True)
    return results


def main(sky: Path, seeds: int = 5) -> None:
    """Compare, and write what was found."""
    RESULTS.write_text(json.dumps(compare(sky, seeds), indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
