"""A catalogue to select from."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.made.catalogues import TOY, catalogue, random_concentrations, random_counts
from tests.made.selections import give_images, inform
from zoolens.catalog.store.store import Store
from zoolens.jobs.score import score

N = 60
QUESTIONS = [question.name for question in TOY.questions]


@pytest.fixture(scope="module")
def gz(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Sixty galaxies: some are equals, lack votes, an image or a question's information."""
    counts, concentrations = random_counts(N), random_concentrations(N)
    counts[30:40], concentrations[30:40] = counts[:10], concentrations[:10]  # equals
    counts[50:] = 0  # nobody was asked anything
    names = [f"J{99 - n:02d}" for n in range(N)]  # names do not follow numbers
    path = tmp_path_factory.mktemp("gz") / "gz.duckdb"
    catalogue(path, counts, concentrations=concentrations, names=names)
    random = np.random.default_rng(5)
    information = random.gamma(0.5, 0.1, (N, len(QUESTIONS)))
    information[30:40] = information[:10]
    values: dict[tuple[int, int], float | None] = {
        (g, q): information[g, q] for g in range(N) for q in range(len(QUESTIONS))
    }
    for galaxy in range(0, N, 7):
        values[galaxy, galaxy % len(QUESTIONS)] = None
    with Store.open(path) as store:
        inform(store, values)
        give_images(store, [i for i in range(N) if i % 6])
    score(path)
    with Store.open(path, read_only=True) as store:
        yield store
