"""Models on images of a survey that they were not trained on, beside each other.

    python -m benchmarks.real_images [MODEL ...] [--out FILE]

Shows the 100 GZ DECaLS images in ../shared/data to each model (the bundled one unless given), with
dropout, and ranks them by what the trees of GZ DECaLS and Galaxy Zoo 2 both ask: a question has one
name in all trees, and an answer the same meaning if it has the same name. Of bars, which GZ DECaLS
divides into strong and weak, the answer is "no". Beside the volunteers' fractions (39 images), the
published automated ones (100), and those of Galaxy Zoo 2's volunteers, who saw 24 of the galaxies
in SDSS images: Spearman's rho with 95 % bootstrap intervals, and the first model's less each other
one's, of pairs. Also whether a prediction follows the sky's noise and the galaxy's colour, as what
volunteers said does not. Writes results/real_images.json.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from PIL import Image

from benchmarks.looks import look
from zoolens.catalog.errors import CatalogError, ModelRefused
from zoolens.catalog.evaluation.measures import Estimate, estimate
from zoolens.catalog.evaluation.ranks import spearman
from zoolens.catalog.images.view import View
from zoolens.catalog.network.inference import features
from zoolens.catalog.network.model import concentrations, dropout_masks, load_model
from zoolens.catalog.output.answer import from_arrow, write
from zoolens.catalog.paths import BUNDLED_MODEL
from zoolens.catalog.predictions.posterior import question_totals
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.votes.reading import read_vote_table

DATA = Path(__file__).parents[2] / "shared" / "data"
RESULTS = Path(__file__).parent / "results" / "real_images.json"
FEATURED = "smooth-or-featured_featured-or-disk"
TREES = ("gzd5", "gz2")
# What both trees ask, each by one answer.
SHARED = (FEATURED, "disk-edge-on_no", "has-spiral-arms_no", "bar_no", "how-rounded_round")
MIN_VOTES = 5  # on a question; of fewer a fraction says little


@dataclass(frozen=True)
class Ranked:
    """Spearman's rho of a model and somebody else, and of its resamples."""

    estimate: Estimate
    draws: np.ndarray


def predicted(source: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """What a model predicts by each of the two trees that it answers: by image and label.

    Expected vote fractions, mean over 30 dropout samples. Raises `CatalogError` if it answers
    neither.
    """
    loaded = load_model(source)
    files = sorted((DATA / "images").glob("*.png"))
    view = loaded.view or View()
    images = torch.stack([view.prepare(Image.open(file).convert("RGB")) for file in files])
    seen = None
    for name in TREES:
        tree = get_tree(name)
        try:
            model = loaded.for_tree(tree)
        except ModelRefused:
            continue
        if seen is None:
            seen = features(model.encoder, images)
        masks = dropout_masks(30, model.weight.shape[1], model.dropout_rate, 0)
        alpha = concentrations(model, seen, masks).double().numpy()
        fractions = (alpha / question_totals(alpha, tree)).mean(axis=1)
        stems = [file.stem for file in files]
        yield name, pd.DataFrame(fractions, index=stems, columns=tree.labels)
    if seen is None:
        raise CatalogError(f"{source} answers neither the tree of {' nor of '.join(TREES)}")


def references() -> dict[str, pd.DataFrame]:
    """What others say of the images: vote fractions by image and label, NaN where unknown."""
    votes = pd.read_csv(DATA / "gzd_smooth_votes.csv").drop_duplicates("iauname", keep=False)
    votes = votes.set_index("iauname")
    volunteers = votes[[FEATURED]].div(votes["smooth-or-featured_total-votes"], axis=0)
    automated = pd.read_csv(DATA / "decals_automated_fractions.csv").set_index("iauname")
    automated = automated.rename(columns=lambda name: name.removesuffix("_fraction"))
    return {
        "GZ DECaLS volunteers": volunteers,
        "GZ DECaLS automated": automated[[label for label in SHARED if label in automated]],
        "GZ2 volunteers": _of_sdss(),
    }


def _of_sdss() -> pd.DataFrame:
    """Fractions of Galaxy Zoo 2 of those images' galaxies that it asked about, by image."""
    table = read_vote_table(DATA / "gz2_stripe82_votes.csv.gz", tree="gz2", identifier="objid")
    pairs = pd.read_csv(DATA / "image_vote_crossmatch.csv", dtype={"gz2_s82_objid": float})
    # the identifiers went through floats there: 16 of 18 digits are left of them
    image_of = dict(
        zip(
            pairs["gz2_s82_objid"].dropna(),
            pairs.dropna(subset="gz2_s82_objid")["iauname"],
            strict=True,
        )
    )
    rows: dict[str, np.ndarray] = {}
    for block in table.blocks():
        total = question_totals(block.counts, table.tree)
        with np.errstate(invalid="ignore", divide="ignore"):
            fractions = np.where(total >= MIN_VOTES, block.counts / total, np.nan)
        for name, row in zip(block.names, fractions, strict=True):
            if float(name) in image_of:
                rows[image_of[float(name)]] = row
    return pd.DataFrame.from_dict(rows, orient="index", columns=table.tree.labels)[list(SHARED)]


def ranked(first: pd.Series, second: pd.Series) -> Ranked:
    """Spearman's rho of two columns where both are known."""
    both = pd.concat([first, second], axis=1, join="inner").dropna().to_numpy(np.float64)
    value, draws = spearman(both[:, 0], both[:, 1])
    return Ranked(estimate(value, len(both), draws), draws)


def compared(
    models: Mapping[str, pd.DataFrame], others: Mapping[str, pd.DataFrame]
) -> Iterator[dict[str, object]]:
    """A row for each model and column of others, the first model's less its own beside it."""
    for who, said in others.items():
        for label in said:
            first: Ranked | None = None
            for name, fractions in models.items():
                column = fractions[label] if label in fractions else fractions[FEATURED]
                found = ranked(column, said[label])
                row = {"who": who, "answer": label, "model": name, **found.estimate._asdict()}
                less = None
                if first is not None:
                    value = first.estimate.value - found.estimate.value
                    less = estimate(value, found.estimate.galaxies, first.draws - found.draws)
                row |= {f"first_less_{k}": getattr(less, k, None) for k in ("value", "lo", "hi")}
                first = first or found
                yield row


def looks(names: pd.Index) -> pd.DataFrame:
    """What a picture's sky and colours look like, which should not matter."""
    found = {name: look(DATA / "images" / f"{name}.png") for name in names}
    return pd.DataFrame(found).T[["sky noise", "red less blue"]]


def _shown(row: Mapping[str, object], *keys: str) -> str:
    value, lo, hi = (row[key] for key in keys)
    if value is None:
        return "-"
    return f"{value:.2f}" + (f" [{lo:.2f}, {hi:.2f}]" if lo is not None else "")


def main() -> None:
    """Correlate, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_images", description=__doc__)
    parser.add_argument("models", nargs="*", default=[str(BUNDLED_MODEL)])
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    models = {
        f"{Path(source).stem}, {tree}": fractions
        for source in given.models
        for tree, fractions in predicted(source)
    }
    others = references()
    pictures = looks(next(iter(models.values())).index)
    found = list(compared(models, {**others, "the picture": pictures}))
    volunteers = {"GZ DECaLS volunteers themselves": others["GZ DECaLS volunteers"]}
    found += compared(volunteers, {"the picture": pictures})
    table = [
        {
            **{key: row[key] for key in ("who", "answer", "model", "galaxies")},
            "rho": _shown(row, "value", "lo", "hi"),
            "first less this": _shown(row, "first_less_value", "first_less_lo", "first_less_hi"),
        }
        for row in found
    ]
    write(from_arrow(pa.Table.from_pylist(table)), most=1000)
    write(from_arrow(pa.Table.from_pylist(found)), out=given.out)


if __name__ == "__main__":
    main()
