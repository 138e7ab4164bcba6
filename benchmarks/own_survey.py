"""What a few hundred votes of one's own bring, for docs/guide/own-survey.md.

    python -m benchmarks.own_survey make VOTES.csv.gz IMAGES OUT
    python -m benchmarks.own_survey judge CATALOGUE ASIDE.csv MODEL ...

`make` plays an astronomer with a survey of his own: of galaxies with votes, those that the bundled
model of real galaxies was not trained on, by the rule in its card, under other names. In OUT/like
are links to their images as they are, in OUT/unlike the same with pixels four times as wide and
noise, as another telescope would see them; in OUT, votes of 400 (votes.csv), and those of the
others (aside.csv). IMAGES: a folder of files called GALAXY.jpg.

`judge` predicts the catalogue's images by each model, as `predict --orientations 8` does, and holds
it against the votes in ASIDE.csv, on their galaxies alone: what was trained on may be in the same
catalogue. Intervals are 95 %, galaxies resampled; the second and later models have the first's
differences, of pairs.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from zoolens.catalog.arrays import Floats
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.evaluation.errors import observed_fractions
from zoolens.catalog.evaluation.measures import Estimate, estimate, resampled_sums
from zoolens.catalog.evaluation.ranks import spearman
from zoolens.catalog.evaluation.sample import read_evaluated
from zoolens.catalog.predictions.posterior import question_totals
from zoolens.catalog.scoring.losses import dirichlet_multinomial_nll
from zoolens.catalog.store.galaxies import split_galaxies
from zoolens.catalog.store.store import Store
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference

VOTED = 400
COARSER, NOISE = 4, 20.0  # pixels as wide; standard deviation of 0..255
_ALL = 10**9
FEATURED, SMOOTH = "smooth-or-featured_featured-or-disk", "smooth-or-featured_smooth"
RANKED = (FEATURED, "disk-edge-on_yes", "has-spiral-arms_yes", "how-rounded_round")


def make(votes: Path, images: Path, out: Path, *, voted: int = VOTED) -> tuple[int, int]:
    """Write a survey; returns of how many galaxies there are votes, and votes kept aside."""
    table = pd.read_csv(votes, dtype={"galaxy": str})
    held_out = split_galaxies(table["galaxy"], 0, 0.1) != "train"
    table = table[held_out].sample(frac=1, random_state=1)
    for folder in ("like", "unlike"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(2)
    for galaxy in sorted(table["galaxy"]):
        image = (images / f"{galaxy}.jpg").resolve()
        (out / "like" / f"S{galaxy}.jpg").symlink_to(image)
        unlike(image, random).save(out / "unlike" / f"S{galaxy}.png")
    table["galaxy"] = "S" + table["galaxy"]
    table[:voted].to_csv(out / "votes.csv", index=False)
    table[voted:].to_csv(out / "aside.csv", index=False)
    return len(table[:voted]), len(table[voted:])


def unlike(image: Path, random: np.random.Generator) -> Image.Image:
    """An image with coarser pixels and noise."""
    with Image.open(image) as file:
        width, height = file.size
        small = file.convert("RGB").resize(
            (width // COARSER, height // COARSER), Image.Resampling.BOX
        )
    noisy = np.asarray(small) + random.normal(0, NOISE, (*small.size[::-1], 3))
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


@dataclass(frozen=True)
class Measured:
    """A value with its interval, and its 1000 resamples."""

    name: str
    estimate: Estimate
    draws: Floats


def measured(
    votes: Floats, concentrations: npt.NDArray[np.floating], tree: DecisionTree
) -> list[Measured]:
    """Ranks, errors and loss of concentrations (N, T, A), by votes (N, A).

    Ranks are of those galaxies where half of the volunteers were asked the question. The error is
    that of the fractions of smooth and of featured; the loss is the negative log likelihood of all
    votes of a galaxy, nat.
    """
    alpha = np.asarray(concentrations, np.float64)
    given = (alpha / question_totals(alpha, tree)).mean(axis=1)
    observed = observed_fractions(votes, 0, tree)
    found = []
    for label in RANKED:
        answer = tree.answer_id(label)
        half = votes[:, tree.slices[tree.question_of[answer]]].sum(axis=1) * 2
        known = half >= votes[:, tree.slices[0]].sum(axis=1)
        value, draws = spearman(given[known, answer], observed[known, answer])
        found.append(
            Measured(
                f"Spearman, {label}", estimate(value, int(np.count_nonzero(known)), draws), draws
            )
        )
    main = [tree.answer_id(label) for label in (SMOOTH, FEATURED)]
    off = np.nanmean(np.abs(given - observed)[:, main], axis=1)
    loss = dirichlet_multinomial_nll(votes, alpha, tree).sum(axis=1)
    for name, each in (("error of fractions", off), ("loss", loss)):
        draws = resampled_sums(each[:, None])[:, 0] / len(each)
        found.append(Measured(name, estimate(float(each.mean()), len(each), draws), draws))
    return found


def judge(catalogue: Path, aside: Path, models: list[str]) -> pd.DataFrame:
    """What each model reaches, a row of each measured value."""
    names = set(pd.read_csv(aside, dtype=str).iloc[:, 0])
    rows: list[dict[str, object]] = []
    first: list[Measured] = []
    for model in models:
        run = predict(catalogue, model, Inference(32, orientations=8)).run_id
        with Store.open(catalogue, read_only=True) as store:
            found = read_evaluated(store, run, None, _ALL)
            some = np.array([name in names for name in found.names])
            if not some.any():
                raise CatalogError(f"{catalogue} has none of the galaxies of {aside} with votes")
            votes = np.nan_to_num(found.counts[some])
            values = measured(votes, found.concentrations[some], store.tree)
        first = first or values
        for one, other in zip(values, first, strict=True):
            value, galaxies, lo, hi = one.estimate
            less = estimate(value - other.estimate.value, galaxies, one.draws - other.draws)
            rows.append(
                {"model": model, "measure": one.name, "galaxies": galaxies}
                | {"value": value, "lo": lo, "hi": hi}
                | {"less first": less.value, "less lo": less.lo, "less hi": less.hi}
            )
    return pd.DataFrame(rows)


def main() -> None:
    """Make or judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own_survey", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    making, judging = verbs.add_parser("make"), verbs.add_parser("judge")
    for name in ("votes", "images", "out"):
        making.add_argument(name, type=Path)
    judging.add_argument("catalogue", type=Path)
    judging.add_argument("aside", type=Path)
    judging.add_argument("model", nargs="+")
    given = parser.parse_args()
    try:
        if given.verb == "make":
            voted, kept = make(given.votes, given.images, given.out)
            print(f"{given.out}: {voted:,} galaxies with votes, {kept:,} with votes kept aside")
        else:
            print(judge(given.catalogue, given.aside, given.model).round(4).to_csv(index=False))
    except CatalogError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
