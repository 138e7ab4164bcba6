"""What seeing galaxies in several orientations brings, and costs.

    python -m benchmarks.orientations CATALOGUE MODEL [TRUTH]

Of at most 500 galaxies of a catalogue with votes and images, drawn by a seed, of those that a
training kept for the test if there was one: each image passes the
encoder in all eight orientations once, and 32 dropout samples of the head are shared out among the
first 1, 2, 4 and 8 as `predict` does; beside it two other ways of using eight: a sample that is the
mean concentration of all eight, and one of the mean features. Held against the volunteers'
fractions, or, of a simulated sky whose `truth.parquet` is given, the true ones: rank correlation (a
mean over answers), mean absolute error, how much the central 90 % interval of the votes covers, and
the likelihood of the votes; with 95 % intervals of the differences from one orientation, galaxies
resampled in pairs. Weighted votes are rounded. Raw values go to results/orientations.json, by the
catalogue's name.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import rankdata

from benchmarks.contest import Contest, Way, run, surroundings
from zoolens.catalog.arrays import Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.calibration import covered, predicted_steps
from zoolens.catalog.evaluation.truth import read_truth
from zoolens.catalog.images.loading import load
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.engines import make_encode
from zoolens.catalog.network.ensemble import Member, load_member
from zoolens.catalog.network.inference import torch_in_order
from zoolens.catalog.network.model import concentrations
from zoolens.catalog.network.orientations import ORIENTATIONS
from zoolens.catalog.predictions.from_images import Sampler
from zoolens.catalog.predictions.posterior import summarise
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.store.galaxies import galaxies_in_split, galaxies_with_image, read_galaxies
from zoolens.catalog.store.matrices import read_votes
from zoolens.catalog.store.store import Store

RESULTS = Path(__file__).parent / "results" / "orientations.json"
MOST, SAMPLES, SEED, BATCH, RESAMPLES = 500, 32, 0, 20, 300
FEWEST = 10  # votes of a question
MEASURES = ("rank correlation", "absolute error", "covered", "minus log likelihood")


def posteriors(member: Member, features: torch.Tensor) -> dict[str, Floats]:
    """Concentrations (N, T, A) of each way, from features (N, 8, D)."""
    masks = member.masks(SAMPLES, SEED)
    found = {}
    for count in ORIENTATIONS:
        sampler = Sampler(member, masks, torch.nn.Identity(), count)
        found[str(count)] = sampler.samples(features[:, :count])
    each = [concentrations(member.model, seen, masks) for seen in features.unbind(1)]
    found["8, each sample their mean"] = torch.stack(each).mean(0)
    found["8, of their mean features"] = concentrations(member.model, features.mean(1), masks)
    return {name: alpha.numpy() for name, alpha in found.items()}


def by_galaxy(
    alpha: Floats, counts: Floats, target: Floats, tree: DecisionTree
) -> dict[str, Floats]:
    """Expected fractions, and the measures that are means over galaxies: (N, A), NaN if unasked."""
    fraction = summarise(alpha, tree).fraction
    lower, upper = predicted_steps(counts, alpha, tree, min_votes=FEWEST)
    inside = covered(lower, upper, 0.9)
    unlikely = dirichlet_multinomial_nll(counts, alpha, tree)  # (N, Q)
    none = np.isnan(target)
    return {
        "fraction": np.where(none, np.nan, fraction),
        "absolute error": np.abs(np.where(none, np.nan, fraction) - target),
        "covered": inside,
        "minus log likelihood": np.where(none[:, [w.start for w in tree.slices]], np.nan, unlikely),
    }


def measured(found: dict[str, Floats], target: Floats, rows: Ids) -> list[float]:
    """`MEASURES` of the galaxies at `rows`."""
    ranked = []
    for k in range(target.shape[1]):
        pair = np.stack([found["fraction"][rows, k], target[rows, k]])
        pair = pair[:, np.isfinite(pair).all(0)]
        if pair.shape[1] >= 40:
            ranked.append(np.corrcoef(rankdata(pair, axis=1))[0, 1])
    return [float(np.mean(ranked)), *(float(np.nanmean(found[m][rows])) for m in MEASURES[1:])]


def compare(catalogue: Path, source: str, truth: Path | None) -> dict[str, Any]:
    """Measures of each way, and of their differences from one orientation."""
    with Store.open(catalogue, read_only=True) as store, ImageReader() as reader:
        tree = store.tree
        member = load_member(source, tree)
        ids = galaxies_with_image(store)
        held_out = galaxies_in_split(store, "test")
        ids = np.intersect1d(ids, held_out) if len(held_out) else ids
        if len(ids) > MOST:
            ids = np.sort(np.random.default_rng(SEED).choice(ids, MOST, replace=False))
        loaded = load(reader, member.view, read_galaxies(store, ids))
        ids = np.array([galaxy.galaxy_id for galaxy in loaded.galaxies])
        votes = read_votes(store, tree, ids)
    names = [galaxy.iauname for galaxy in loaded.galaxies]
    target = votes.observed if truth is None else read_truth(truth, names, tree).probabilities
    counts = np.rint(votes.tree_counts)  # as weighted ones have no probability
    totals = np.stack([counts[:, w].sum(1) for w in tree.slices], axis=1)[:, tree.question_of]
    target = np.where(totals >= FEWEST, target, np.nan)
    size, channels = member.view.size, member.model.channels
    encode = make_encode("torch", member.model.encoder, channels, size)
    masks = member.masks(SAMPLES, SEED)

    def seen(orientations: int) -> Callable[[], torch.Tensor]:
        sampler = Sampler(member, masks, encode, orientations)
        parts = loaded.images.split(BATCH)
        return lambda: torch.cat([*torch_in_order(sampler.features, parts)])

    features: dict[str, torch.Tensor] = {}
    ways = {str(count): Way(seen(count)) for count in (1, 8)}
    seconds = run(Contest("encoding", ways, repeats=1, check=features.update))
    random = np.random.default_rng(SEED)
    drawn = [random.integers(len(ids), size=len(ids)) for _ in range(RESAMPLES)]
    results: dict[str, Any] = {}
    upright: list[list[float]] = []
    for name, alpha in posteriors(member, features["8"]).items():
        found = by_galaxy(alpha, counts, target, tree)
        each = [measured(found, target, rows) for rows in drawn]
        upright = upright or each
        values = measured(found, target, np.arange(len(ids), dtype=np.int64))
        spans = np.quantile(np.subtract(each, upright), (0.025, 0.975), axis=0).T
        results[name] = {
            measure: {"value": value, "difference": span.tolist()}
            for measure, value, span in zip(MEASURES, values, spans, strict=True)
        }
    return {
        "galaxies": len(ids),
        "model": member.model.sha256,
        "times as long": seconds["8"][0] / seconds["1"][0],
        "ways": results,
    }


def main() -> None:
    """Compare, keep, show."""
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    catalogue = Path(sys.argv[1])
    truth = Path(sys.argv[3]) if len(sys.argv) == 4 else None
    found = compare(catalogue, sys.argv[2], truth)
    kept = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    kept[catalogue.stem] = {**found, **surroundings()}
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    table = Table("orientations", *MEASURES, box=None)
    for name, row in found["ways"].items():
        cells = (
            f"{one['value']:.4f} ({one['difference'][0]:+.4f} to {one['difference'][1]:+.4f})"
            for one in row.values()
        )
        table.add_row(name, *cells)
    Console(soft_wrap=True).print(
        table, f"encoding takes {found['times as long']:.1f} times as long"
    )


if __name__ == "__main__":
    main()
