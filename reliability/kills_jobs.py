"""The jobs that are killed, each on a small but real catalogue."""

from pathlib import Path

from reliability.cases import Job
from reliability.kills import Work, job
from reliability.world import World


def _simulate(_: World, folder: Path) -> None:
    from zoolens.jobs.simulate import simulate

    simulate(folder / "sky", galaxies=40, seed=1, size=64, workers=1)


def _ingest_votes(world: World, folder: Path) -> None:
    from zoolens.jobs.ingest import ingest

    ingest(folder / "gz.duckdb", world.part("many") / "votes.csv")


def _ingest_again(world: World, folder: Path) -> None:
    from zoolens.jobs.ingest import ingest

    ingest(folder / "gz.duckdb", world.part("many") / "later.csv")


def _ingest_images(world: World, folder: Path) -> None:
    from zoolens.jobs.ingest import ingest

    sky = world.part("sky")
    ingest(folder / "gz.duckdb", sky / "votes.csv", images=sky / "images")


def _ingest_with_model(world: World, folder: Path) -> None:
    from zoolens.catalog.paths import BUNDLED_MODEL
    from zoolens.jobs.pipeline import ingest_to_index
    from zoolens.jobs.settings import Inference

    sky, gz = world.part("sky"), folder / "gz.duckdb"
    inference = Inference(samples=3, engine="torch")
    model = str(BUNDLED_MODEL)
    ingest_to_index(gz, sky / "votes.csv", images=sky / "images", model=model, inference=inference)


def _predict(_: World, folder: Path) -> None:
    from zoolens.catalog.paths import BUNDLED_MODEL
    from zoolens.jobs.predict import predict
    from zoolens.jobs.settings import Inference

    inference = Inference(samples=5, engine="torch")
    predict(folder / "gz.duckdb", str(BUNDLED_MODEL), inference, batch_size=8)


def _adopt(world: World, folder: Path) -> None:
    from zoolens.jobs.adopt import adopt

    adopt(folder / "gz.duckdb", world.part("many") / "predictions.parquet")


def _score(_: World, folder: Path) -> None:
    from zoolens.jobs.score import score

    score(folder / "gz.duckdb")


def _index(_: World, folder: Path) -> None:
    from zoolens.jobs.index import index

    index(folder / "gz.duckdb")


def _index_approximately(_: World, folder: Path) -> None:
    from zoolens.jobs.index import index

    index(folder / "gz.duckdb", approximate=True)


def _explain_all(_: World, folder: Path) -> None:
    from zoolens.jobs.explain import explain
    from zoolens.jobs.settings import Maps, Which

    explain(folder / "gz.duckdb", Which(everything=True), Maps(engine="torch"), figures=False)


def _explain_worst(_: World, folder: Path) -> None:
    from zoolens.catalog.output import figures
    from zoolens.jobs.explain import explain
    from zoolens.jobs.settings import Maps, Which

    figures.DPI = 40
    explain(folder / "gz.duckdb", Which(worst=2), Maps(engine="torch"))


def _train(_: World, folder: Path) -> None:
    from zoolens.catalog.images.view import View
    from zoolens.jobs.train import train

    train(
        folder / "gz.duckdb",
        folder / "model",
        architecture="resnet10t",
        view=View("minimal", 32),
        epochs=3,
        batch_size=8,
        held_out=0.3,
    )


def _evaluate(world: World, folder: Path) -> None:
    from zoolens.catalog.output import figures
    from zoolens.jobs.evaluate import evaluate

    figures.DPI = 40
    truth = world.part("sky") / "truth.parquet"
    evaluate(folder / "gz.duckdb", truth=truth, maps=8, typical=1)


def _select(_: World, folder: Path) -> None:
    from zoolens.jobs.select import select

    if not (folder / "selected").exists():  # once it is there, it is whole
        select(folder / "gz.duckdb", folder / "selected", 40)


def _release(_: World, folder: Path) -> None:
    from tests.made.releases import FORMATS, TITLE
    from zoolens.jobs.release import release
    from zoolens.jobs.settings import Cut

    cut = Cut(formats=FORMATS, counterparts=10, cubes=True, gallery=3)
    if not (folder / "release").exists():
        release(folder / "gz.duckdb", folder / "release", TITLE, cut)


def _upgrade(_: World, folder: Path) -> None:
    from zoolens.catalog.store.store import Store

    with Store.open(folder / "gz.duckdb"):
        pass


_VOTES = {"zoolens.catalog.formats.csv": {"_BYTES": 200_000}}
_IMAGES = {"zoolens.jobs.ingest": {"IMAGES_A_SHARD": 8}}
_PREDICT = {"zoolens.jobs.predict": {"SHARD": 8}}
_ADOPT = {"zoolens.jobs.adopt": {"SHARD": 500}}
_SCORE = {"zoolens.jobs.score": {"SHARD": 500}}
_EXPLAIN = {"zoolens.jobs.explain": {"BATCH": 4, "SHARD": 1}}
_SIMULATE = {"zoolens.jobs.simulate": {"GALAXIES_A_PART": 8}}

JOBS: dict[str, Job] = {
    "simulate": job(Work(_simulate, sizes=_SIMULATE)),
    "ingest votes": job(Work(_ingest_votes, sizes=_VOTES), "many", short=True),
    "ingest other votes": job(Work(_ingest_again, "many_voted", sizes=_VOTES), "many", short=True),
    "ingest images": job(Work(_ingest_images, sizes=_IMAGES), "sky"),
    "ingest with a model": job(Work(_ingest_with_model, sizes=_IMAGES | _PREDICT), "sky"),
    "predict": job(Work(_predict, "voted", sizes=_PREDICT)),
    "adopt": job(Work(_adopt, "many_voted", sizes=_ADOPT), "many"),
    "score": job(Work(_score, "many_predicted", sizes=_SCORE)),
    "index": job(Work(_index, "many_scored")),
    "index --approximate": job(Work(_index_approximately, "full")),
    "explain --all": job(Work(_explain_all, "predicted", sizes=_EXPLAIN)),
    "explain --worst": job(Work(_explain_worst, "predicted", sizes=_EXPLAIN)),
    # the optimiser's own file holds times
    "train": job(Work(_train, "voted", ("*.ckpt",)), share=0.5),
    "evaluate": job(Work(_evaluate, "explained"), "sky", share=0.5),
    "select": job(Work(_select, "predicted")),
    "release": job(Work(_release, "explained")),
    "upgrade": job(Work(_upgrade, "old"), short=True),
}
