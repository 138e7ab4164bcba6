"""A published vote table into a catalogue: ours beside reading it with pandas and DuckDB.

The table has the layout of GZ DECaLS's: counts, totals and fractions of every question.
The peers only read it, or read it and spread it over rows; ours also checks every count.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from benchmarks.contest import Contest, Way
from tests.made.catalogues import random_counts
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.ingest import ingest

GALAXIES, _MADE = 314_000, 20_000
TREE = get_tree("gzd5")


def contests(folder: Path) -> Iterator[Contest]:
    """Ingest, without images."""
    table = folder / "votes.csv"
    write_votes(table, GALAXIES)
    path = folder / "ingest.duckdb"
    counts = [f"{question.name}_{a}" for question in TREE.questions for a in question.answers]
    listed = ", ".join(f'"{label}"' for label in counts)
    yield Contest(
        f"votes of {GALAXIES:,} galaxies, {table.stat().st_size / 1e6:.0f} MB of CSV",
        {
            "zoolens, checked and in the catalogue": Way(
                lambda: ingest(path, table), before=lambda: path.unlink(missing_ok=True)
            ),
            "DuckDB read_csv and UNPIVOT": Way(
                lambda: duckdb.sql(
                    f"CREATE OR REPLACE TABLE votes AS UNPIVOT "
                    f"(SELECT iauname, {listed} FROM read_csv('{table}')) ON {listed}"
                )
            ),
            "pandas read_csv and melt": Way(
                lambda: pd.read_csv(table).melt("iauname", counts), repeats=1
            ),
        },
        repeats=3,
    )


def write_votes(path: Path, galaxies: int) -> None:
    """A table of synthetic votes in GZ DECaLS's layout."""
    made = random_counts(_MADE, TREE)
    with path.open("wb") as file:
        for start in range(0, galaxies, _MADE):
            counts = made[: galaxies - start]
            columns = {
                "iauname": [
                    f"J{number:06d}.00+000000.0" for number in range(start, start + len(counts))
                ],
                "ra": np.linspace(0, 359, len(counts)),
                "dec": np.linspace(-30, 30, len(counts)),
            }
            for question, where in zip(TREE.questions, TREE.slices, strict=True):
                total = counts[:, where].sum(axis=1)
                columns[f"{question.name}_total-votes"] = total.astype(int)
                for answer, votes in zip(question.answers, counts[:, where].T, strict=True):
                    label = f"{question.name}_{answer}"
                    columns[label] = votes.astype(int)
                    with np.errstate(invalid="ignore"):
                        fraction = np.round(votes / total, 6)
                    columns[f"{label}_fraction"] = pa.array(fraction, from_pandas=True)
            options = csv.WriteOptions(include_header=start == 0)
            csv.write_csv(pa.table(columns), file, options)
