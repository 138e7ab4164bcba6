"""What an ingest makes untrue is left out, told, and made again; what shows belongs together."""

import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.made.catalogues import TOY, add_predictions, blank, random_concentrations, random_counts
from tests.made.covered import covered
from zoolens.catalog.errors import CatalogError, Outdated
from zoolens.catalog.explain.rows import map_rows, statistic_rows
from zoolens.catalog.store.checks import offences
from zoolens.catalog.store.galaxies import galaxies_of_run, galaxies_with_image
from zoolens.catalog.store.ingests import begin_ingest, finish_ingest
from zoolens.catalog.store.matrices import compared_galaxies
from zoolens.catalog.store.outdated import clear_outdated, stale_steps, warn_of
from zoolens.catalog.store.store import Store
from zoolens.catalog.store.tables import arrow_schema
from zoolens.jobs.score import score
from zoolens.jobs.worst import worst

N = 5
A = len(TOY.labels)
T = 3
VIEW = {"name": "minimal", "size": 32, "greyscale": False}


@dataclass
class Work:
    """Ingests, predictions and maps of a small catalogue, as the jobs do them.

    What a model predicts is made from the number of the model and the image alone, so that it can
    be told whether a row was made from the image that the catalogue shows.
    """

    path: Path
    ingests: int = 0
    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def ingest(self, votes: list[int] = [], images: dict[int, str] = {}) -> None:  # noqa: B006
        """New votes on galaxies, and images by galaxy, of which the checksum is given."""
        self.ingests += 1
        counts = random_counts(N, seed=int(self.random.integers(2**31)))
        with Store.open(self.path) as store:
            run = begin_ingest(store, {"votes": f"table {self.ingests}"}, {}, TOY)
            known = {number for (number,) in store.rows("SELECT galaxy_id FROM galaxy")}
            new = [{"galaxy_id": i, "iauname": f"G{i}"} for i in range(N) if i not in known]
            rows = [
                {"galaxy_id": i, "answer_id": a, "count": counts[i, a], "total": total}
                for i in votes
                for a in range(A)
                for total in [counts[i, TOY.slices[TOY.question_of[a]]].sum()]
            ]
            files = [
                {"galaxy_id": i, "source": "x.png", "format": "PNG", "height": 9, "width": 9}
                | {"sha256": sha256}
                for i, sha256 in images.items()
            ]
            tables = {"galaxy": new, "vote": rows, "image": files}
            store.commit(run, "all", {n: _table(n, given) for n, given in tables.items()})
            with store.transaction():
                finish_ingest(store, run)

    def predict(self, model: int) -> None:
        with Store.open(self.path) as store:
            settings = {"samples": T, "seed": model, "tree": TOY.name, "view": VIEW}
            run = store.begin("predict", settings, model_sha256="00" * 32)
            clear_outdated(store, run)
            missing = np.setdiff1d(
                galaxies_with_image(store), galaxies_of_run(store, run, "prediction")
            ).tolist()
            images = dict(store.rows("SELECT galaxy_id, image_sha256 FROM galaxies"))
            if missing:
                add_predictions(
                    store,
                    [predicted(model, images[i]) for i in missing],
                    galaxy_ids=missing,
                    seed=model,
                    shard=f"part {store.shards(run) + 1}",
                    view=VIEW,
                )
            store.finish(run)

    def score(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Outdated)
            with suppress(CatalogError):  # nothing to score yet
                score(self.path)

    def explain(self) -> None:
        with Store.open(self.path) as store:
            shown = store.shown_run("predict")
            if shown is None:
                return
            config = {"predict_run": shown.run_id, "view": VIEW}
            run = store.begin("explain", config, model_sha256=shown.model_sha256)
            clear_outdated(store, run)
            missing = np.setdiff1d(
                galaxies_with_image(store), galaxies_of_run(store, run, "saliency_map")
            ).tolist()
            images = dict(store.rows("SELECT galaxy_id, image_sha256 FROM galaxies"))
            maps = np.array(
                [np.full((A, 2, 2), mark(shown.config["seed"], images[i])) for i in missing],
                np.float32,
            )
            if missing:
                tables = {
                    "saliency_map": map_rows(missing, maps, abs(maps), TOY),
                    "saliency_stat": statistic_rows(
                        missing,
                        "concentration",
                        maps,
                        covered([None] * len(missing), maps.shape[2:]),
                    ),
                }
                store.commit(run, f"part {store.shards(run) + 1}", tables)
            store.finish(run)


def _table(name: str, rows: list[dict[str, object]]) -> pa.Table:
    schema = [one for one in arrow_schema(name) if one.name not in ("ra", "dec")]
    return pa.Table.from_pylist(rows, schema=pa.schema(schema))


def predicted(model: int, image: str) -> np.ndarray:
    return random_concentrations(1, T, seed=100 * model + ord(image))[0]


def mark(model: int, image: str) -> float:
    return 1000.0 * model + ord(image)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(blank(tmp_path / "gz.duckdb"))


def scored(path: Path, sql: str = "SELECT DISTINCT galaxy_id FROM losses") -> set[int]:
    with Store.open(path, read_only=True) as store:
        return {number for (number,) in store.rows(sql)}


def told(path: Path) -> dict[str, str]:
    with Store.open(path, read_only=True) as store:
        return {stale.job: stale.said for stale in stale_steps(store)}


@pytest.mark.slow
def test_losses_of_another_model_do_not_show(work: Work) -> None:
    work.ingest([0, 1, 2, 3], dict.fromkeys(range(4), "a"))
    work.predict(1)
    work.predict(2)
    work.score()
    assert told(work.path) == {}
    work.predict(1)
    assert scored(work.path) == set()
    assert scored(work.path, "SELECT galaxy_id FROM worst") == set()
    assert scored(work.path, "SELECT galaxy_id FROM history.losses") == {0, 1, 2, 3}
    said = told(work.path)["score"]
    assert "run 4 are of the predictions of run 3, not of those of run 2" in said
    assert said.endswith("do: zoolens score")
    with pytest.raises(CatalogError, match="no complete score run of the predictions that show"):
        worst(work.path, min_votes=0)
    work.score()
    assert scored(work.path) == {0, 1, 2, 3}
    work.predict(2)
    assert scored(work.path) == {0, 1, 2, 3}, "those of the second model show again"
    assert told(work.path) == {}


@pytest.mark.slow
def test_losses_of_older_votes_are_left_out(work: Work) -> None:
    work.ingest([0, 1, 2, 3], dict.fromkeys(range(N), "a"))
    work.predict(1)
    work.score()
    work.ingest([1, 4])
    assert scored(work.path) == {0, 2, 3}
    assert "those of 1 galaxy with other votes" in told(work.path)["score"]
    with pytest.warns(Outdated, match="do: zoolens score"):
        worst(work.path, min_votes=0)
    work.score()
    assert told(work.path) == {}
    assert scored(work.path) == {0, 1, 2, 3, 4}


@pytest.mark.slow
def test_what_was_made_from_a_replaced_image_is_left_out_and_made_again(work: Work) -> None:
    work.ingest([0, 1, 2], dict.fromkeys(range(3), "a"))
    work.predict(1)
    work.score()
    work.explain()
    work.ingest(images={1: "b", 2: "a"})
    everything = ("predictions", "losses", "saliency", "saliency_stats", "worst")
    for view in everything:
        assert scored(work.path, f"SELECT galaxy_id FROM {view}") == {0, 2}, view
    assert {*told(work.path)} == {"predict", "score", "explain"}
    with Store.open(work.path, read_only=True) as store:
        with pytest.warns(Outdated) as caught:
            warn_of(store, "predict", "explain")
        assert len(caught) == 2
    work.predict(1)
    work.explain()
    assert {*told(work.path)} == {"score"}
    work.score()
    assert told(work.path) == {}
    for view in everything:
        assert scored(work.path, f"SELECT galaxy_id FROM {view}") == {0, 1, 2}, view


@pytest.mark.slow
def test_an_image_that_comes_back_makes_its_rows_true_again(work: Work) -> None:
    work.ingest([0, 1], {0: "a", 1: "a"})
    work.predict(1)
    work.score()
    for image in "bc":
        work.ingest(images={1: image})
        assert scored(work.path) == {0}
    work.ingest(images={1: "a"})
    assert scored(work.path) == {0, 1}
    assert told(work.path) == {}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_whatever_is_done_the_views_agree(work: Work, seed: int) -> None:
    random = work.random = np.random.default_rng(seed)
    work.ingest([0, 1], {0: "a"})
    for step in range(16):
        some = random.permutation(N)[: random.integers(1, N + 1)].tolist()
        match random.choice(["votes", "images", "predict", "score", "explain"]):
            case "votes":
                work.ingest(sorted(some))
            case "images":
                work.ingest(images={i: str(random.choice(["a", "b", "c"])) for i in sorted(some)})
            case "predict":
                work.predict(int(random.integers(1, 3)))
            case "score":
                work.score()
            case "explain":
                work.explain()
        _agree(work.path, f"seed {seed}, step {step}")


def _agree(path: Path, where: str) -> None:
    with Store.open(path, read_only=True) as store:
        assert {k: v for k, v in offences(store).items() if v} == {}, where
        images = dict(store.rows("SELECT galaxy_id, image_sha256 FROM galaxies"))
        shown = store.shown_run("predict")
        model = 0 if shown is None else int(shown.config["seed"])
        for galaxy, alpha in store.rows(
            "SELECT galaxy_id, list(concentration ORDER BY label) FROM predictions GROUP BY ALL"
        ):
            expected = predicted(model, images[galaxy]).mean(axis=0)[np.argsort(TOY.labels)]
            np.testing.assert_allclose(alpha, expected, rtol=1e-6, err_msg=where)
        wrong = store.value(
            """SELECT count(*) FROM losses l
LEFT JOIN votes v USING (galaxy_id, label) LEFT JOIN predictions p USING (galaxy_id, label)
WHERE l.observed IS DISTINCT FROM v.fraction OR l.predicted IS DISTINCT FROM p.fraction"""
        )
        assert wrong == 0, where
        assert store.value("SELECT count(*) FROM worst ANTI JOIN losses USING (galaxy_id)") == 0
        for galaxy, blob in store.rows("SELECT galaxy_id, mean FROM saliency"):
            assert np.frombuffer(blob, "<f4")[0] == mark(model, images[galaxy]), where
        # whoever has been scored and shows no losses has been told of, or waits to be scored
        once = {i for (i,) in store.rows("SELECT DISTINCT galaxy_id FROM loss")}
        now = {i for (i,) in store.rows("SELECT DISTINCT galaxy_id FROM losses")}
        waiting = set() if shown is None else {*compared_galaxies(store, shown.run_id).tolist()}
        assert once <= now or stale_steps(store) or waiting > now, where
