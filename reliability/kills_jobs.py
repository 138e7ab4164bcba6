"""The jobs that are killed, each on a small but real catalogue."""

from dataclasses import dataclass
from pathlib import Path

from reliability.cases import Case, Job, Verdict
from reliability.kills import Kills, Work
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


@dataclass(frozen=True)
class Worked:
    """A job that is killed, and the parts of the world that it reads; the rest as of `Job`."""

    work: Work
    parts: tuple[str, ...] = ()
    share: float = 1
    short: bool = False


_VOTES = {"zoolens.catalog.formats.csv": {"_BYTES": 200_000}}
_IMAGES = {"zoolens.jobs.ingest": {"IMAGES_A_SHARD": 8}}
_PREDICT = {"zoolens.catalog.predictions.from_images": {"SHARD": 8}}
_ADOPT = {"zoolens.jobs.adopt": {"SHARD": 500}}
_SCORE = {"zoolens.jobs.score": {"SHARD": 500}}
_EXPLAIN = {"zoolens.jobs.explain": {"BATCH": 4, "SHARD": 1}}
_SIMULATE = {"zoolens.jobs.simulate": {"GALAXIES_A_PART": 8}}

WORKS: dict[str, Worked] = {
    "simulate": Worked(Work(_simulate, sizes=_SIMULATE)),
    "ingest votes": Worked(Work(_ingest_votes, sizes=_VOTES), ("many",), short=True),
    "ingest other votes": Worked(
        Work(_ingest_again, "many_voted", sizes=_VOTES), ("many",), short=True
    ),
    "ingest images": Worked(Work(_ingest_images, sizes=_IMAGES), ("sky",)),
    "ingest with a model": Worked(Work(_ingest_with_model, sizes=_IMAGES | _PREDICT), ("sky",)),
    "predict": Worked(Work(_predict, "voted", sizes=_PREDICT)),
    "adopt": Worked(Work(_adopt, "many_voted", sizes=_ADOPT), ("many",)),
    "score": Worked(Work(_score, "many_predicted", sizes=_SCORE)),
    "index": Worked(Work(_index, "many_scored")),
    "index --approximate": Worked(Work(_index_approximately, "full")),
    "explain --all": Worked(Work(_explain_all, "predicted", sizes=_EXPLAIN)),
    "explain --worst": Worked(Work(_explain_worst, "predicted", sizes=_EXPLAIN)),
    # the optimiser's own file holds times
    "train": Worked(Work(_train, "voted", ("*.ckpt",)), share=0.5),
    "evaluate": Worked(Work(_evaluate, "explained"), ("sky",), share=0.5),
    "select": Worked(Work(_select, "predicted")),
    "release": Worked(Work(_release, "explained")),
    "upgrade": Worked(Work(_upgrade, "old"), short=True),
}


def _killed(worked: Worked) -> Job:
    kills, work = Kills(), worked.work

    def run(case: Case, world: World, _: Path) -> Verdict:
        return kills.judge(work, case, world)

    parts = (*worked.parts, *([work.start] if work.start else []))
    return Job(run, parts, worked.share, events=2.4, short=worked.short, isolated=False)


JOBS: dict[str, Job] = {name: _killed(worked) for name, worked in WORKS.items()}
