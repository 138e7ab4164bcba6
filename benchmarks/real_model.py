"""The figures by which a model of real galaxies is judged.

    python -m benchmarks.real_model CATALOGUE ... [--unselected votes.csv] [--model MODEL ...]

Of each catalogue's newest predictions (with --model, of what those models predict for the first
catalogue's images, by the job `predict`, which resumes), on the galaxies that no training of these
catalogues used: validation and test of the newest one, or, where none was recorded, by the same
rule for --held-out and --seed. `benchmarks/real_figures.py` says what is measured. Which galaxies
were not chosen by their looks is told by the column `sample`, kept in the catalogue (`zoolens
ingest --keep sample`) or read from --unselected. The second and later models also have the
first's value less theirs, of pairs. Prints a table and writes every number to --out.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from benchmarks.real_figures import Figure, Judged, figures, predicted
from benchmarks.real_tables import rows, shown
from zoolens.catalog.arrays import Flags, Floats, Ids
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.evaluation.sample import read_evaluated
from zoolens.catalog.output.answer import from_arrow, write
from zoolens.catalog.store.galaxies import SPLITS, galaxies_in_split, split_galaxies
from zoolens.catalog.store.own_rows import own_columns, read_own
from zoolens.catalog.store.store import Store
from zoolens.jobs.predict import predict
from zoolens.jobs.settings import Inference

RESULTS = Path(__file__).parent / "results" / "real_model.json"
SAMPLE, UNSELECTED = "sample", "unselected"
_ALL = 10**9


@dataclass(frozen=True)
class Read:
    """Held-out galaxies of a catalogue with what one model predicts of them.

    name: of the model; names, votes (N, A), concentrations (N, T, A), sample (N,): of the galaxies.
    """

    name: str
    tree: DecisionTree
    names: list[str]
    votes: Floats
    concentrations: npt.NDArray[np.float32]
    sample: npt.NDArray[np.str_] | None

    def of(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """The places of galaxies by name."""
        place = {name: i for i, name in enumerate(self.names)}
        return np.array([place[name] for name in names], np.int64)


def read(catalogue: Path, run: int | None, name: str, rule: tuple[int, float] | None) -> Read:
    """The galaxies that were not trained on, with the predictions of a run, the newest if None.

    rule: seed and share held out, where the catalogue recorded no training. Raises `CatalogError`
    if there is nothing to judge.
    """
    with Store.open(catalogue, read_only=True) as store:
        found = read_evaluated(store, run or store.newest_run("predict"), None, _ALL)
        some = _held_out(store, found.galaxy_id, found.names, rule)
        if not some.any():
            raise CatalogError(f"{catalogue} has no galaxy that is held out and was predicted")
        sample = None
        if any(column.name == SAMPLE for column in own_columns(store)):
            column = read_own(store, [SAMPLE], found.galaxy_id[some])[SAMPLE]
            sample = np.array([value or "" for value in column.to_pylist()])
        return Read(
            name,
            store.tree,
            [found.names[i] for i in np.flatnonzero(some)],
            np.nan_to_num(found.counts[some]),
            found.concentrations[some],
            sample,
        )


def _held_out(
    store: Store, galaxy_id: Ids, names: Sequence[str], rule: tuple[int, float] | None
) -> Flags:
    """Which galaxies were kept from training, (N,)."""
    parts = [galaxies_in_split(store, split) for split in SPLITS]
    if any(len(part) for part in parts):
        return np.isin(galaxy_id, np.concatenate(parts[1:]))
    if rule is None:
        raise CatalogError(
            f"{store.path} has recorded no training; say which galaxies its model was not trained "
            "on, by the share and the seed: --held-out 0.2 --seed 0"
        )
    return split_galaxies(names, *rule) != "train"


def unselected(table: Path, names: Sequence[str]) -> npt.NDArray[np.str_]:
    """The sample of galaxies, (N,), from a table with the columns `galaxy` and `sample`."""
    rows = pd.read_csv(table, usecols=["galaxy", SAMPLE], dtype=str).set_index("galaxy")[SAMPLE]
    lacking = [name for name in names if name not in rows.index]
    if lacking:
        raise CatalogError(f"{table} has no galaxy {lacking[0]}, nor {len(lacking) - 1:,} others")
    return rows.loc[list(names)].to_numpy(str)


def judge(models: Sequence[Read], table: Path | None) -> tuple[Judged, list[list[Figure]]]:
    """The galaxies that all models were kept from, and each one's figures of them."""
    first = models[0]
    common = set(first.names).intersection(*(model.names for model in models))
    names = [name for name in first.names if name in common]
    if not names:
        raise CatalogError("these catalogues have no galaxy in common that is held out in each")
    places = first.of(names)
    if table is not None:
        sample = unselected(table, names)
    elif first.sample is not None:
        sample = first.sample[places]
    else:
        raise CatalogError(
            "which galaxies are unselected is not known; give the table of votes that has the "
            f"column {SAMPLE}: --unselected FILE"
        )
    judged = Judged(first.tree, names, first.votes[places], sample == UNSELECTED)
    found = []
    for model in models:
        if model.tree.labels != first.tree.labels:
            raise CatalogError(f"{model.name} has another tree than {first.name}")
        alpha = model.concentrations[model.of(names)]
        found.append(list(figures(judged, predicted(alpha, first.tree))))
    return judged, found


def main() -> None:
    """Read or predict, judge, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_model", description=__doc__)
    parser.add_argument("catalogues", nargs="+", type=Path)
    parser.add_argument("--unselected", type=Path, metavar="votes.csv")
    parser.add_argument("--model", action="append", default=[])
    parser.add_argument("--samples", type=int, default=30)
    parser.add_argument("--held-out", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    rule = None if given.held_out is None else (given.seed, given.held_out)
    try:
        wanted: list[tuple[Path, int | None, str]] = []
        for model in given.model:
            run = predict(given.catalogues[0], model, Inference(given.samples)).run_id
            wanted.append((given.catalogues[0], run, model))
        beside = given.catalogues[1:] if given.model else given.catalogues
        wanted += [(path, None, str(path)) for path in beside]
        models = [read(path, run, name, rule) for path, run, name in wanted]
        judged, found = judge(models, given.unselected)
    except CatalogError as error:
        parser.exit(1, f"{error}\n")
    print(
        f"{len(judged.names):,} held-out galaxies, {judged.unselected.sum():,} of them unselected"
    )
    for number, model in enumerate(models, 1):
        print(f"{number}  {model.name}")
    write(from_arrow(shown(found)), most=1000)
    write(
        from_arrow(pa.Table.from_pylist(list(rows([m.name for m in models], found)))), out=given.out
    )


if __name__ == "__main__":
    main()
