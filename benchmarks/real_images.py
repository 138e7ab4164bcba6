"""The bundled model on real galaxies, which it may rank as people do, or not.

    python -m benchmarks.real_images

Shows the 100 GZ DECaLS images in ../shared/data to the bundled model, with dropout, and
writes Spearman's rank correlations with the volunteers' fractions and with the published
automated ones, with 95 % bootstrap intervals, to results/real_images.json; and whether the
model's and the volunteers' fractions follow the sky's noise and the galaxy's colour.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from scipy.stats import spearmanr

from benchmarks.looks import look
from zoolens.catalog.images.view import View
from zoolens.catalog.network.inference import features
from zoolens.catalog.network.model import concentrations, dropout_masks, load_model
from zoolens.catalog.paths import BUNDLED_MODEL
from zoolens.catalog.predictions.posterior import question_totals
from zoolens.catalog.trees.published import get_tree

DATA = Path(__file__).parents[2] / "shared" / "data"
RESULTS = Path(__file__).parent / "results" / "real_images.json"
FEATURED = "smooth-or-featured_featured-or-disk"


def predicted() -> pd.DataFrame:
    """Expected vote fractions by name and label, mean over 30 dropout samples."""
    tree = get_tree("gzd5")
    model = load_model(str(BUNDLED_MODEL)).for_tree(tree)
    view = model.view or View()
    files = sorted((DATA / "images").glob("*.png"))
    images = torch.stack([view.prepare(Image.open(file).convert("RGB")) for file in files])
    masks = dropout_masks(30, model.weight.shape[1], model.dropout_rate, 0)
    alpha = concentrations(model, features(model.encoder, images), masks).double().numpy()
    fractions = (alpha / question_totals(alpha, tree)).mean(axis=1)
    return pd.DataFrame(fractions, index=[file.stem for file in files], columns=tree.labels)


def correlation(first: pd.Series, second: pd.Series) -> dict[str, object]:
    """Spearman's rho of two columns where both are known."""
    both = pd.concat([first, second], axis=1, join="inner").dropna().to_numpy(np.float64)
    rho, p = spearmanr(both[:, 0], both[:, 1])
    rng = np.random.default_rng(0)
    drawn = [both[rng.integers(len(both), size=len(both))] for _ in range(2000)]
    spread = np.quantile([spearmanr(d[:, 0], d[:, 1])[0] for d in drawn], [0.025, 0.975])
    return {"galaxies": len(both), "rho": float(rho), "interval": spread.tolist(), "p": float(p)}


def main() -> None:
    """Correlate, print and write."""
    model = predicted()
    votes = pd.read_csv(DATA / "gzd_smooth_votes.csv").drop_duplicates("iauname", keep=False)
    votes = votes.set_index("iauname")
    volunteers = votes[FEATURED] / votes["smooth-or-featured_total-votes"]
    automated = pd.read_csv(DATA / "decals_automated_fractions.csv").set_index("iauname")
    results = {f"volunteers {FEATURED}": correlation(model[FEATURED], volunteers)}
    for column in automated.columns:
        label = column.removesuffix("_fraction")
        if label in model:
            results[f"automated {label}"] = correlation(model[label], automated[column])
    # what a picture's sky looks like should not matter, and to volunteers it does not
    looks = pd.DataFrame({name: look(DATA / "images" / f"{name}.png") for name in model.index}).T
    for measure in ("sky noise", "red less blue"):
        results[f"{measure}, model"] = correlation(looks[measure], model[FEATURED])
        results[f"{measure}, volunteers"] = correlation(looks[measure], volunteers)
    for name, found in results.items():
        print(name, found)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
