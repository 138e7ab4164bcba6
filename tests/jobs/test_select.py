"""A selection end to end: what is in the folder, and what happens when it goes wrong."""

import csv
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.images.test_cutouts import cutout, sky
from tests.made.catalogues import (
    TOY,
    add_fractions,
    add_images,
    catalogue,
    random_concentrations,
    random_counts,
)
from tests.made.checkpoints import save, zoobot_tree
from tests.made.images import folder, picture, tar
from tests.made.own_tables import own_table
from zoolens import cli
from zoolens.catalog.errors import CatalogError, UnknownName
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.selection.manifest import MOST_BYTES
from zoolens.catalog.store.store import Store
from zoolens.jobs.ingest import ingest
from zoolens.jobs.keep import keep
from zoolens.jobs.score import score
from zoolens.jobs.select import select
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

N = 20
NAMES = [f"J{n:02d}" for n in range(N)]


def paint(path: Path, files: Mapping[int, tuple[Path, str | None]]) -> None:
    """Give galaxies of a catalogue the images that are in these files and members."""
    with Store.open(path) as store, ImageReader() as reader:
        rows = [
            {"galaxy_id": i, "source": str(file), "member": member}
            | vars(reader.inspect(str(file), member))
            for i, (file, member) in files.items()
        ]
        add_images(store, rows)


def inform(path: Path) -> None:
    """The lower the number, the more is to be learnt; of bars the other way round."""
    with Store.open(path) as store:
        store.execute(
            """UPDATE question_prediction SET mutual_information =
            CASE WHEN question_id = 2 THEN galaxy_id ELSE 100 - galaxy_id END"""
        )
        store.execute("UPDATE prediction SET reach = CASE WHEN answer_id < 3 THEN 1 ELSE 0.001 END")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return folder(tmp_path / "images", {f"{n}.png": picture(n) for n in range(N - 2)})


@pytest.fixture
def gz(tmp_path: Path, images: Path) -> Path:
    """Twenty galaxies, the last two without image; J00 is worth most, for bars J17."""
    path = catalogue(
        tmp_path / "gz.duckdb",
        random_counts(N),
        concentrations=random_concentrations(N),
        names=NAMES,
    )
    paint(path, {n: (images / f"{n}.png", None) for n in range(N - 2)})
    inform(path)
    score(path)
    return path


def manifest(out: Path) -> list[dict[str, str]]:
    with (out / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def chosen(out: Path) -> list[str]:
    return [row["!iauname"] for row in manifest(out)]


def content(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_the_best_of_each_question_and_of_all(gz: Path, images: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    before = gz.read_bytes()
    report = select(gz, out, 5, quotas=["bar=2"])
    assert chosen(out) == ["J17", "J16", "J00", "J01", "J02"]
    rows = manifest(out)
    assert [row["#question"] for row in rows] == ["bar", "bar", "shape", "shape", "shape"]
    assert [row["#by_quota"] for row in rows] == ["yes", "yes", "no", "no", "no"]
    assert [row["#rank"] for row in rows] == list("12345")
    assert rows[0]["#score"] == "0.017"
    for row in rows:
        number = int(row["!iauname"][1:])
        assert (out / row["#image"]).read_bytes() == (images / f"{number}.png").read_bytes()
        assert int(row["#galaxy_id"]) == number
    assert {path.name for path in out.iterdir()} == {
        "manifest.csv",
        *(row["#image"] for row in rows),
    }
    assert report.manifest == out / "manifest.csv"
    assert report.summary == "5 galaxies; 2 for bar; 2 left out for want of an image"
    assert gz.read_bytes() == before
    assert verify(gz).errors == 0


def test_votes_so_far_are_those_of_the_question(gz: Path, tmp_path: Path) -> None:
    select(gz, tmp_path / "out", N, quotas=["bar=9"])
    with Store.open(gz, read_only=True) as store:
        rows = store.arrow("SELECT iauname, question, total FROM votes").to_pylist()
    votes = {(row["iauname"], row["question"]): row["total"] for row in rows}
    told = manifest(tmp_path / "out")
    assert [float(row["#votes"]) for row in told] == [
        votes[row["!iauname"], row["#question"]] for row in told
    ]
    assert len({row["#votes"] for row in told}) > 3


def test_a_budget_above_what_there_is(gz: Path, tmp_path: Path) -> None:
    report = select(gz, tmp_path / "out", 1000, quotas=["bar=500", "round=300"])
    assert sorted(chosen(tmp_path / "out")) == NAMES[: N - 2]
    assert (report.selected, report.without_image) == (N - 2, 2)
    assert report.summary == (
        "18 galaxies of 1,000, there are no more; 17 for bar of 500; 1 for round of 300; "
        "2 left out for want of an image"
    )


def test_the_same_catalogue_gives_the_same_bytes(gz: Path, images: Path, tmp_path: Path) -> None:
    (images / "1.png").unlink()
    outs = [tmp_path / "one", tmp_path / "other"]
    for out in outs:
        select(gz, out, 8, by="loss", quotas=["round=2"])
    assert content(outs[0]) == content(outs[1])


def test_images_that_cannot_be_used_make_room_for_the_next(
    gz: Path, images: Path, tmp_path: Path
) -> None:
    (images / "0.png").unlink()
    (images / "1.png").write_bytes(picture(99))
    (images / "3.png").write_bytes(picture(3)[:-30])
    (images / "17.png").write_bytes(b"")
    out = tmp_path / "out"
    report = select(gz, out, 5, quotas=["bar=1"])
    assert chosen(out) == ["J16", "J02", "J04", "J05", "J06"]
    assert report.refused == 4
    assert report.summary.endswith("; 4 images refused, see refused.csv")
    with (out / "refused.csv").open() as file:
        refused = {row["iauname"]: row for row in csv.DictReader(file)}
    kinds = {name: row["reason"].split(":")[0] for name, row in refused.items()}
    assert kinds == {
        "J17": "changed image",
        "J00": "missing image",
        "J01": "changed image",
        "J03": "changed image",
    }
    assert refused["J00"]["image"] == str(images / "0.png")
    assert len(list(out.iterdir())) == 5 + 2


def test_without_any_image_there_is_no_folder(
    gz: Path, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(images)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CatalogError, match="no image of 18 galaxies can be used; the best: miss"):
        select(gz, tmp_path / "out", 3)
    assert sorted(tmp_path.iterdir()) == before
    monkeypatch.setattr("zoolens.jobs.select._FRUITLESS", 4)
    with pytest.raises(CatalogError, match="no image of 4 galaxies can be used; the best: miss"):
        select(gz, tmp_path / "out", 3)  # a disk that is not there is told soon
    assert sorted(tmp_path.iterdir()) == before
    bare = catalogue(
        tmp_path / "bare.duckdb", random_counts(3), concentrations=random_concentrations(3)
    )
    with pytest.raises(CatalogError, match="has an image; ingest images with --images"):
        select(bare, tmp_path / "out", 3)


def test_images_of_every_kind(tmp_path: Path) -> None:
    """Tar members, FITS, what is too large, and names that lead elsewhere."""
    names = ["../../up", ".hidden", "a" * 300, "J3/4", "=1+1", "J5"]
    large = np.linspace(0, 255, 900 * 900 * 3).reshape(900, 900, 3)
    large += np.random.default_rng(0).normal(0, 2, large.shape)
    Image.fromarray(np.clip(large, 0, 255).astype(np.uint8)).save(tmp_path / "large.png")
    (tmp_path / "cutout.fits").write_bytes(cutout(sky()))
    (tmp_path / "j.jpg").write_bytes(picture(8, "JPEG"))
    archive = tar(tmp_path / "some.tar", {"a/b.png": picture(5), "c.jpeg": picture(6, "JPEG")})
    path = catalogue(
        tmp_path / "gz.duckdb",
        random_counts(6),
        concentrations=random_concentrations(6),
        names=names,
    )
    paint(
        path,
        {
            0: (tmp_path / "large.png", None),
            1: (tmp_path / "cutout.fits", None),
            2: (archive, "a/b.png"),
            3: (archive, "c.jpeg"),
            4: (tmp_path / "j.jpg", None),
            5: (archive, "a/b.png"),
        },
    )
    out = tmp_path / "out"
    select(path, out, 6)
    rows = {int(row["#galaxy_id"]): row for row in manifest(out)}
    kinds = {}
    for number, row in rows.items():
        file = out / row["#image"]
        assert file.parent == out
        assert file.resolve().parent == out.resolve()
        assert file.stat().st_size <= MOST_BYTES
        with Image.open(file) as image:
            kinds[number] = image.format
    assert [kinds[i] for i in range(6)] == ["JPEG", "PNG", "PNG", "JPEG", "JPEG", "PNG"]
    assert (out / rows[2]["#image"]).read_bytes() == picture(5)
    assert (out / rows[3]["#image"]).read_bytes() == picture(6, "JPEG")
    told = [rows[number]["!iauname"] for number in range(6)]
    assert [name in names for name in told] == [False, False, True, False, False, True]
    assert len(list(out.iterdir())) == 7


def test_an_existing_folder_is_left_alone(gz: Path, tmp_path: Path) -> None:
    full = folder(tmp_path / "full", {"notes.txt": b"mine"})
    (tmp_path / "empty").mkdir()
    with pytest.raises(CatalogError, match="full exists; choose another folder"):
        select(gz, full, 3)
    assert content(full) == {"notes.txt": b"mine"}
    select(gz, tmp_path / "empty", 3)
    assert len(chosen(tmp_path / "empty")) == 3


def test_relative_to_the_folder_that_one_is_in(
    gz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    report = select(Path("../gz.duckdb"), Path("out"), 3)
    assert report.manifest == Path("out/manifest.csv")
    assert len(chosen(here / "out")) == 3


def test_mistakes_leave_no_folder(gz: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with pytest.raises(UnknownName, match="nearest: bar"):
        select(gz, out, 3, quotas=["bars=1"])
    with pytest.raises(CatalogError, match="above the budget of 3"):
        select(gz, out, 3, quotas=["bar=4"])
    with pytest.raises(CatalogError, match="1 galaxy or more"):
        select(gz, out, 0)
    assert not out.parent.exists()
    with Store.open(gz) as store:
        add_fractions(store, np.full((N, len(TOY.labels)), 0.4))
    with pytest.raises(CatalogError, match="no mutual information; predict with a model"):
        select(gz, out, 3)
    assert not out.exists()
    assert not list(out.parent.iterdir())


def test_an_unknown_error_leaves_no_folder(
    gz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("zoolens.jobs.select.write_manifest", stop)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        select(gz, tmp_path / "out", 3)
    assert sorted(tmp_path.iterdir()) == before


def zoolens(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def test_the_command(gz: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("select", out, "-n", 4, "--quota", "bar=1", "--quota", "round=1", "--catalog", gz)
    done = zoolens(*command)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out / 'manifest.csv'}\n"
    assert "4 galaxies; 1 for bar; 1 for round; 2 left out for want of an image" in done.stderr
    assert chosen(out) == ["J17", "J00", "J01", "J02"]
    again = zoolens(*command)
    assert again.exit_code == 1
    assert again.stderr == f"zoolens: {out} exists; choose another folder\n"
    by_loss = zoolens(
        "select", tmp_path / "b", "--budget", 3, "--by", "loss", "--min-votes", 2, "--max-votes",
        30, "--quiet", "--catalog", gz,
    )  # fmt: skip
    assert (by_loss.exit_code, by_loss.stderr) == (0, "")
    assert all(2 <= float(row["#votes"]) <= 30 for row in manifest(tmp_path / "b"))
    mistake = zoolens("select", tmp_path / "c", "-n", 1, "--quota", "bar=2", "--catalog", gz)
    assert mistake.exit_code == 1
    assert len(mistake.stderr.splitlines()) == 1
    assert zoolens("select", tmp_path / "c").exit_code == 2  # no budget


@pytest.mark.slow
def test_real_votes_and_images(data: Path, tmp_path: Path) -> None:
    from zoolens.catalog.images.view import View
    from zoolens.jobs.predict import predict
    from zoolens.jobs.settings import Inference

    path = tmp_path / "gz.duckdb"
    ingest(path, data / "gzd5_votes.csv", images=data / "images")
    model = save(zoobot_tree("test_resnet", awake=True, dropout_rate=0.3), tmp_path / "small.ckpt")
    predict(path, str(model), Inference(samples=5, view=View(size=64)))
    report = select(path, tmp_path / "out", 8, quotas=["bar=2", "bulge-size=3"])
    rows = manifest(tmp_path / "out")
    assert (report.selected, report.quotas) == (8, {"bar": (2, 2), "bulge-size": (3, 3)})
    assert len({row["!iauname"] for row in rows}) == 8
    for row in rows:
        assert row["#image"] == row["!iauname"] + ".png"
        original = data / "images" / row["#image"]
        assert (tmp_path / "out" / row["#image"]).read_bytes() == original.read_bytes()
    scores = [float(row["#score"]) for row in rows]
    for part in (scores[:2], scores[2:5], scores[5:]):
        assert part == sorted(part, reverse=True)


def test_only_galaxies_of_a_condition_with_columns_of_ones_own(gz: Path, tmp_path: Path) -> None:
    own = {"z": [None if n == 1 else 0.01 * n for n in range(N)], "text": ["=a b/c"] * N}
    table = own_table(
        tmp_path / "own.parquet",
        {"iauname": NAMES, **own, "good": [n % 2 == 0 for n in range(N)], "n": [2**62 + 1] * N},
    )
    keep(gz, table, ["z", "text", "good", "n"])
    report = select(
        gz, tmp_path / "out", N, where="z > 0.03 OR z IS NULL", columns=["z", "text", "good", "n"]
    )
    rows = [*csv.DictReader(report.manifest.open())]
    numbers = sorted(NAMES.index(row["!iauname"]) for row in rows)
    assert set(numbers) <= {1, *range(4, N)}
    assert report.selected == len(rows) > 3
    for row in rows:
        n = NAMES.index(row["!iauname"])
        assert row["#z"] == ("unknown" if n == 1 else repr(0.01 * n))
        assert row["#text"] not in ("", "=a b/c")
        assert (row["#good"], row["#n"]) == ("no" if n % 2 else "yes", str(2**62 + 1))
    with pytest.raises(UnknownName, match=r"no column 'zz' of your own .*nearest: z"):
        select(gz, tmp_path / "other", 1, columns=["zz"])
