"""Explaining small painted galaxies end to end, and what happens when it goes wrong."""

import importlib.util
import re
import shutil
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
import torch
from PIL import Image

import zoolens.jobs.explain
from tests.made.catalogues import add_fractions, add_images, catalogue, random_counts
from tests.made.checkpoints import save, zoobot_tree
from tests.oracles.saliency import Expected
from zoolens.catalog.errors import CatalogError, ImageRefused, ModelRefused, UnknownName
from zoolens.catalog.explain import members
from zoolens.catalog.explain.choice import Subject
from zoolens.catalog.explain.maps import saliency_of
from zoolens.catalog.explain.model import explained_model
from zoolens.catalog.explain.portraits import read_explanation
from zoolens.catalog.explain.rows import saliency_tables
from zoolens.catalog.explain.stack import saliency_stack
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.images.view import View
from zoolens.catalog.network.export import write_model
from zoolens.catalog.network.model import dropout_masks, load_model
from zoolens.catalog.saliency.deeplift import blurred
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.store.store import Store
from zoolens.catalog.trees.published import get_tree
from zoolens.jobs.explain import explain
from zoolens.jobs.index import index
from zoolens.jobs.predict import predict
from zoolens.jobs.score import score
from zoolens.jobs.settings import Inference, Maps, Which
from zoolens.jobs.verify import verify

pytestmark = pytest.mark.slow

SMALL = View(size=64)
SAMPLES, SEED, GALAXIES = 3, 11, 8
LABEL = "how-rounded_round"


def paint(path: Path, folder: Path, numbers: Sequence[int]) -> list[Path]:
    """Give galaxies of a catalogue an image each: a blob on noise."""
    folder.mkdir(exist_ok=True)
    rows = []
    files = []
    with ImageReader() as reader:
        for number in numbers:
            random = np.random.default_rng(number)
            y, x = np.mgrid[:96, :96] - 48
            blob = 200 * np.exp(-(x**2 + y**2) / random.uniform(50, 400))
            pixels = np.clip(blob[..., None] + random.normal(15, 4, (96, 96, 3)), 0, 255)
            files.append(folder / f"{number}.png")
            Image.fromarray(pixels.astype(np.uint8)).save(files[-1])
            facts = vars(reader.inspect(str(files[-1])))
            rows.append({"galaxy_id": number, "source": str(files[-1]), **facts})
    with Store.open(path) as store:
        add_images(store, rows)
    return files


def voted(path: Path, names: Sequence[str] | None = None, galaxies: int = GALAXIES) -> Path:
    tree = get_tree("gzd5")
    counts = random_counts(galaxies, tree, seed=3)
    asked = tree.question_of[tree.answer_id(LABEL)]
    counts[:, tree.slices[asked]] = [3, 2, 1]  # how-rounded was asked about every galaxy
    return catalogue(path, counts, tree=tree, names=names)


def predicted(path: Path, model: str) -> Path:
    predict(path, model, Inference(samples=SAMPLES, seed=SEED, view=SMALL))
    score(path)
    index(path)
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint of a small ZoobotTree of GZD-5."""
    path = tmp_path_factory.mktemp("model") / "small.ckpt"
    return str(save(zoobot_tree("test_resnet", awake=True, dropout_rate=0.3), path))


@pytest.fixture(scope="module")
def predicted_folder(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a catalogue of eight galaxies, images and predictions, and its index."""
    folder = tmp_path_factory.mktemp("predicted")
    path = voted(folder / "gz.duckdb")
    paint(path, folder / "images", range(GALAXIES))
    predicted(path, model)
    return folder


@pytest.fixture
def path(predicted_folder: Path, tmp_path: Path) -> Path:
    """A catalogue of its own for one test."""
    for file in predicted_folder.glob("gz.*"):
        shutil.copy(file, tmp_path / file.name)
    return tmp_path / "gz.duckdb"


def rows(path: Path, sql: str) -> list[dict[str, object]]:
    with Store.open(path, read_only=True) as store:
        found: list[dict[str, object]] = store.arrow(sql).to_pylist()
        return found


def one(path: Path, sql: str) -> object:
    return next(iter(rows(path, sql)[0].values()))


class Links(HTMLParser):
    """Everything that a page refers to, and its scripts."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


# --- what is stored


def test_stored_maps_are_those_of_the_model_that_predicted(
    path: Path, predicted_folder: Path, model: str
) -> None:
    report = explain(path, Which(names=["G0002"], answer=LABEL), figures=False)
    assert (report.explained, report.total, report.rejects) == (1, 1, 0)
    assert report.changed
    assert (report.figures, report.page) == ((), None)
    loaded = load_model(model)
    masks = dropout_masks(SAMPLES, loaded.weight.shape[1], loaded.dropout_rate, SEED)
    with Image.open(predicted_folder / "images" / "2.png") as image:
        batch = SMALL.prepare(image)[None]
    expected = Explainer(loaded, masks, size=SMALL.size)(batch)
    for answer, label in enumerate(get_tree("gzd5").labels):
        for sd, maps in ((False, expected.mean), (True, expected.sd)):
            found = saliency_of(path, "G0002", label, sd=sd)
            largest = float(expected.mean[0, answer].abs().max())
            # the same sums in another memory layout, so in another order
            np.testing.assert_allclose(found, maps[0, answer], atol=1e-5 * largest)
    (run,) = rows(path, "SELECT config, model_sha256 FROM runs WHERE job = 'explain'")
    assert run["model_sha256"] == loaded.sha256
    config = rows(path, "SELECT run_id FROM runs WHERE job = 'predict'")
    assert f'"predict_run": {config[0]["run_id"]}' in str(run["config"])


def test_another_engine_gives_the_same_maps(path: Path, tmp_path: Path) -> None:
    pytest.importorskip("openvino", reason="openvino is not installed")
    other = tmp_path / "other.duckdb"
    shutil.copy(path, other)
    for catalog, engine in ((path, "torch"), (other, "openvino")):
        run_id = explain(catalog, Which(everything=True), Maps(engine=engine), figures=False).run_id
        (run,) = rows(catalog, f"SELECT config FROM runs WHERE run_id = {run_id}")
        assert f'"engine": "{engine}"' in str(run["config"])
    for label in get_tree("gzd5").labels:
        expected = saliency_of(path, "G0002", label)
        found = saliency_of(other, "G0002", label)
        np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_layers_without_a_closed_form_are_explained_too(path: Path, model: str) -> None:
    run_id = explain(path, Which(everything=True), Maps(layer="layer3"), figures=False).run_id
    loaded = load_model(model)
    masks = dropout_masks(SAMPLES, loaded.weight.shape[1], loaded.dropout_rate, SEED)
    explainer = Explainer(loaded, masks, size=SMALL.size, layer="layer3")
    assert not explainer.shareable
    (image,) = rows(path, "SELECT image FROM galaxies WHERE iauname = 'G0002'")
    with Image.open(str(image["image"])) as picture:
        expected = explainer(SMALL.prepare(picture)[None]).mean[0, 0]
    maps = f"SELECT count(DISTINCT galaxy_id) FROM history.saliency WHERE run_id = {run_id}"
    assert one(path, maps) == GALAXIES
    found = saliency_of(path, "G0002", get_tree("gzd5").labels[0], run_id=run_id)
    np.testing.assert_allclose(found, expected, atol=1e-5 * float(expected.abs().max()))


def test_statistics_stand_for_every_answer(path: Path) -> None:
    explain(path, Which(everything=True), figures=False)
    assert one(path, "SELECT count(*) FROM saliency") == GALAXIES * 10
    for of in ("concentration", "fraction"):
        assert one(path, f"SELECT count(*) FROM saliency_stats WHERE of = '{of}'") == GALAXIES * 34
    # every blob is found, and a map without positive saliency has none on the target
    wrong = "SELECT count(*) FROM saliency_stats WHERE (on_target IS NULL) <> (increase = 0)"
    assert one(path, wrong) == 0
    own = "SELECT {}(on_target) FROM saliency_stats WHERE of = 'concentration'"
    assert one(path, own.format("max")) < 0.9  # type: ignore[operator]
    assert one(path, own.format("min")) > 0.01  # type: ignore[operator]
    off = "SELECT max(abs(increase + decrease - (predicted - baseline))) FROM saliency_stats"
    assert one(path, off + " WHERE of = 'fraction'") < 1e-6  # type: ignore[operator]
    assert verify(path).errors == 0
    # the maps of fractions are those that are drawn, and explain what was predicted
    raised = saliency_of(path, "G0003", LABEL, of="fraction")
    (row,) = rows(
        path,
        "SELECT s.*, p.fraction FROM saliency_stats s JOIN predictions p "
        f"USING (galaxy_id, label) WHERE s.iauname = 'G0003' AND label = '{LABEL}' "
        "AND of = 'fraction'",
    )
    assert row["increase"] == pytest.approx(np.clip(raised, 0, None).sum(), rel=1e-4)
    assert row["decrease"] == pytest.approx(np.clip(raised, None, 0).sum(), rel=1e-4)
    assert row["predicted"] == pytest.approx(row["fraction"], abs=1e-5)
    shares = [row[f"on_{place}"] for place in ("galaxy", "neighbours", "sky")]
    assert sum(shares) == pytest.approx(1, abs=1e-6)  # type: ignore[arg-type]


def test_what_is_there_is_not_done_again(path: Path) -> None:
    first = explain(path, Which(names=["G0001"], answer=LABEL))
    pictures = {file: file.read_bytes() for file in first.figures}
    again = explain(path, Which(names=["G0001"], answer=LABEL))
    assert (again.explained, again.run_id) == (0, first.run_id)
    assert again.changed, "figures were drawn"
    assert again.summary.endswith(f"0 refused; 1 figure in {first.figures[0].parent}")
    assert {file: file.read_bytes() for file in again.figures} == pictures
    whole = explain(path, Which(everything=True), figures=False)
    assert (whole.run_id, whole.total) == (first.run_id, GALAXIES)
    assert whole.explained == GALAXIES - first.explained
    assert verify(path).errors == 0
    assert not explain(path, Which(everything=True), figures=False).changed


def test_an_interrupted_run_goes_on_where_it_stopped(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoolens.jobs.explain, "BATCH", 2)
    monkeypatch.setattr(zoolens.jobs.explain, "SHARD", 1)
    calls = iter(range(100))

    def interrupted(*arguments: Any, **named: Any) -> Any:
        if next(calls) == 2:
            raise KeyboardInterrupt
        return saliency_tables(*arguments, **named)

    monkeypatch.setattr(zoolens.jobs.explain, "saliency_tables", interrupted)
    with pytest.raises(KeyboardInterrupt):
        explain(path, Which(everything=True), figures=False)
    assert one(path, "SELECT count(DISTINCT galaxy_id) FROM saliency_map") == 4
    assert one(path, "SELECT count(*) FROM saliency") == 0  # not complete: not public
    report = explain(path, Which(everything=True), figures=False)
    assert (report.explained, report.total) == (4, GALAXIES)
    assert verify(path).errors == 0


@pytest.mark.parametrize("threads", [1, 3])
def test_maps_have_the_same_bits_however_they_were_interrupted(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(zoolens.jobs.explain, "BATCH", 4)
    monkeypatch.setattr(zoolens.jobs.explain, "SHARD", 1)
    whole = tmp_path / "whole.duckdb"
    shutil.copy(path, whole)
    explain(whole, Which(everything=True), figures=False)
    calls = iter(range(100))

    def interrupted(*arguments: Any, **named: Any) -> Any:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return saliency_tables(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(zoolens.jobs.explain, "saliency_tables", interrupted)
        with pytest.raises(KeyboardInterrupt):
            explain(path, Which(everything=True), figures=False)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert explain(path, Which(everything=True), figures=False).explained == 4
    finally:
        torch.set_num_threads(before)
    for view in ("saliency", "saliency_stats"):
        sql = f"SELECT * EXCLUDE run_id FROM {view} ORDER BY ALL"
        assert rows(path, sql) == rows(whole, sql)


def test_methods_and_layers_are_runs_of_their_own(path: Path) -> None:
    ways = [Maps(), Maps(layer="layer3", method="gradcam"), Maps(layer="layer3")]
    reports = [explain(path, Which(names=["G0003"]), way, figures=False) for way in ways]
    assert len({report.run_id for report in reports}) == 3
    maps = [saliency_of(path, "G0003", LABEL, run_id=report.run_id) for report in reports]
    assert maps[0].shape == (2, 2)
    assert maps[1].shape == maps[2].shape == (4, 4)
    assert not np.allclose(maps[1], maps[2])
    # what is made for comparison does not show
    np.testing.assert_array_equal(saliency_of(path, "G0003", LABEL), maps[0])
    shown = "SELECT count(DISTINCT run_id), min(run_id) FROM {}saliency"
    assert rows(path, shown.format(""))[0]["min(run_id)"] == reports[0].run_id
    assert rows(path, shown.format("history."))[0]["count(DISTINCT run_id)"] == 3
    for way in (Maps(method="hirescam"), Maps(layer="layer4")):  # for comparison, by name
        named = explain(path, Which(names=["G0003"]), way, figures=False)
        assert named.run_id not in {report.run_id for report in reports}
        assert rows(path, shown.format(""))[0]["min(run_id)"] == reports[0].run_id


def test_comparisons_are_drawn_apart(path: Path) -> None:
    own = explain(path, Which(names=["G0003"], answer=LABEL))
    before = {file: file.read_bytes() for file in own.figures}
    other = explain(path, Which(names=["G0003"], answer=LABEL), Maps(method="hirescam"))
    assert other.page is not None
    assert other.page.parent.name == f"gz-explained-run{other.run_id}"
    assert {file: file.read_bytes() for file in own.figures} == before


def test_a_layer_that_cannot_add_up_is_not_explained_by_another_method(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ModelRefused("maps at layer3 do not add up; choose another layer")

    monkeypatch.setattr(members, "DeepLift", refused)
    with pytest.raises(ModelRefused, match="add up; choose another layer, or --method hirescam"):
        explain(path, Which(names=["G0003"]), Maps(layer="layer3"), figures=False)
    with pytest.raises(UnknownName, match="choose deeplift, hirescam or gradcam"):
        explain(path, Which(names=["G0003"]), Maps(method="lime"), figures=False)


def test_a_network_without_secants_has_hirescam_and_says_so(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise ModelRefused("it has the step softmax, which has no secant")

    monkeypatch.setattr(members, "DeepLift", refused)
    report = explain(path, Which(names=["G0003"], answer=LABEL))
    (caveat,) = report.caveats
    assert caveat.endswith("these are HiResCAM's, and do not add up.")
    shown = "SELECT * FROM saliency_stats WHERE of = 'fraction'"
    assert {row["baseline"] for row in rows(path, shown)} == {None}
    assert {row["run_id"] for row in rows(path, shown)} == {report.run_id}
    explain(path, Which(names=["G0003"], answer=LABEL), Maps(method="hirescam"))
    by_name = "SELECT * EXCLUDE run_id FROM history.saliency_stats WHERE run_id {} {} ORDER BY ALL"
    own, named = (rows(path, by_name.format(sign, report.run_id)) for sign in ("=", "<>"))
    assert own == named


# --- which galaxies


def test_the_worst_are_those_of_the_ranking(path: Path) -> None:
    explain(path, Which(worst=3), figures=False)
    found = {str(row["iauname"]) for row in rows(path, "SELECT DISTINCT iauname FROM saliency")}
    ranked = rows(path, "SELECT iauname FROM worst ORDER BY rank LIMIT 3")
    assert found == {str(row["iauname"]) for row in ranked}


@pytest.mark.usefixtures("undrawn_figures")
def test_the_worst_of_an_answer_are_drawn_for_it(path: Path) -> None:
    report = explain(path, Which(worst=2, answer="how-rounded-dr5_in-between", min_votes=0))
    ranked = rows(
        path,
        "SELECT iauname FROM losses WHERE label = 'how-rounded_in-between' "
        "ORDER BY weighted_ce DESC LIMIT 2",
    )
    expected = {f"{row['iauname']}_how-rounded_in-between_fraction.png" for row in ranked}
    assert {file.name for file in report.figures if file.suffix == ".png"} == expected


@pytest.mark.usefixtures("undrawn_figures")
def test_the_answer_is_the_costliest_unless_given(path: Path) -> None:
    report = explain(path, Which(names=["G0005"]))
    costliest = one(path, "SELECT label FROM worst WHERE iauname = 'G0005'")
    assert report.figures[0].name == f"G0005_{costliest}_fraction.png"


def test_mistakes_are_told_before_anything_is_done(path: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {},
        {"worst": 2, "everything": True},
        {"names": ["G0001"], "worst": 1},
    ]
    for choice in wrong:
        with pytest.raises(CatalogError, match="names of galaxies, the worst N, or all"):
            Which(**choice)
    with pytest.raises(CatalogError, match="must be 1 or more"):
        explain(path, Which(worst=0))
    with pytest.raises(UnknownName, match="no galaxy 'G9999'"):
        explain(path, Which(names=["G0001", "G9999"]))
    with pytest.raises(UnknownName, match="no answer 'bar_maybe'"):
        explain(path, Which(names=["G0001"], answer="bar_maybe"))
    with pytest.raises(UnknownName, match="no saliency method 'lime'"):
        explain(path, Which(names=["G0001"]), Maps(method="lime"))
    with pytest.raises(UnknownName, match=r"no layer 'layer9'; nearest: layer"):
        explain(path, Which(names=["G0001"]), Maps(layer="layer9"))
    with pytest.raises(UnknownName, match="no engine 'abacus'"):
        explain(path, Which(names=["G0001"]), Maps(engine="abacus"))
    if importlib.util.find_spec("openvino") is not None:
        with pytest.raises(CatalogError, match="explains networks at their last block alone"):
            explain(path, Which(names=["G0001"]), Maps(engine="openvino", layer="layer3"))
    assert one(path, "SELECT count(*) FROM runs WHERE job = 'explain'") == 0


@pytest.mark.usefixtures("undrawn_figures")
def test_without_losses_the_answer_must_be_named(tmp_path: Path, model: str) -> None:
    path = voted(tmp_path / "gz.duckdb")
    paint(path, tmp_path / "images", range(GALAXIES))
    predict(path, model, Inference(samples=SAMPLES, seed=SEED, view=SMALL))
    with pytest.raises(CatalogError, match=r"no answer of G0001 has a loss.*name the answer"):
        explain(path, Which(names=["G0001"]))
    with pytest.raises(CatalogError, match="do first: zoolens score"):
        explain(path, Which(worst=1))
    with pytest.raises(CatalogError, match="zoolens index"):
        explain(path, Which(names=["G0001"], answer=LABEL))
    index(path)
    assert explain(path, Which(names=["G0001"], answer=LABEL)).page is not None


# --- figures and page


def test_a_galaxy_is_drawn_beside_its_counterparts(path: Path) -> None:
    report = explain(path, Which(names=["G0006", "G0001", "G0006"], answer=LABEL))
    assert report.page is not None
    folder = path.with_name("gz-explained")
    names = [
        f"{name}_{LABEL}_fraction{suffix}"
        for name in ("G0006", "G0001")
        for suffix in (".png", ".pdf")
    ]
    assert report.figures == tuple(folder / name for name in names)
    page = Links(report.page)
    assert page.tags.isdisjoint({"script", "link", "iframe"})
    for link in page.links:
        assert link.startswith("#") or (folder / unquote(link)).is_file()
    tables = [f"G0006_{LABEL}_{name}" for name in ("votes.csv", "votes.tex", "fractions.csv")]
    assert set(tables) <= set(page.links)
    text = report.page.read_text(encoding="utf-8")
    assert "http" not in text
    for words in ("Table 1", "Table 2", "observed counterpart", "predicted counterpart"):
        assert words in text
    assert f"explain run {report.run_id}" in text
    # both counterparts have maps as well
    assert report.explained >= 3


@pytest.mark.usefixtures("undrawn_figures")
def test_what_maps_are_of_can_be_chosen(path: Path) -> None:
    report = explain(path, Which(names=["G0001"], answer=LABEL), of="fraction")
    assert report.figures[0].name == f"G0001_{LABEL}_fraction.png"
    assert report.page is not None
    assert "raised the answer’s predicted fraction" in report.page.read_text(encoding="utf-8")
    with Store.open(path, read_only=True) as store:
        subject = Subject(1, store.tree.answer_id(LABEL), None, None, ())
        run = store.run(report.run_id)
        explained = explained_model(store, None, "deeplift", None)
        with ImageReader() as reader:
            drawn = read_explanation(store, run, subject, explained, reader, "fraction")
        expected = saliency_of(store, drawn.selected.iauname, LABEL, of="fraction")
    picture = drawn.selected.picture
    assert picture is not None
    np.testing.assert_allclose(picture.mean, expected, atol=1e-6 * np.abs(expected).max())
    assert picture.sd is None
    with pytest.raises(UnknownName, match="choose one of concentration, fraction, cross_entropy"):
        explain(path, Which(names=["G0001"], answer=LABEL), of="votes")  # type: ignore[arg-type]


def test_maps_of_fractions_and_losses_add_up(
    path: Path, predicted_folder: Path, model: str
) -> None:
    """To what the network makes of the images less what it makes of them blurred, in float64."""
    explain(path, Which(everything=True), figures=False)
    tree, answer = get_tree("gzd5"), get_tree("gzd5").answer_id(LABEL)
    loaded = load_model(model)
    masks = dropout_masks(SAMPLES, loaded.weight.shape[1], loaded.dropout_rate, SEED)
    batch = torch.stack(
        [
            SMALL.prepare(Image.open(predicted_folder / "images" / f"{number}.png"))
            for number in range(GALAXIES)
        ]
    )
    observed = torch.full((len(tree.labels),), 0.5, dtype=torch.float64)  # 3 of 6
    for of, votes in (("fraction", None), ("cross_entropy", observed)):
        network = Expected(loaded, masks, tree.slices, votes)
        with torch.no_grad():
            changes = (network(batch) - network(blurred(batch)))[:, answer].numpy()
        assert np.abs(changes).max() > 1e-3
        names = [f"G{number:04d}" for number in range(GALAXIES)]
        with Store.open(path, read_only=True) as store:
            found = saliency_stack(store, names, [LABEL], of=of)[:, 0]  # type: ignore[arg-type]
        # the encoder is float32 here and float64 there
        np.testing.assert_allclose(found.sum((1, 2)), changes, atol=1e-5)


def test_without_model_or_image_there_is_no_map_of_a_fraction(tmp_path: Path) -> None:
    model = save(zoobot_tree("test_resnet", awake=True), tmp_path / "model.ckpt")
    path = voted(tmp_path / "gz.duckdb", galaxies=2)
    files = paint(path, tmp_path / "images", range(2))
    predict(path, str(model), Inference(samples=SAMPLES, seed=SEED, view=SMALL))
    explain(path, Which(names=["G0000", "G0001"]), figures=False)
    saliency_of(path, "G0000", LABEL, of="fraction")
    files[0].unlink()
    with pytest.raises(ImageRefused, match=r"missing image.*put it back, or ask for maps of the"):
        saliency_of(path, "G0000", LABEL, of="fraction")
    saliency_of(path, "G0001", LABEL, of="fraction")
    save(zoobot_tree("test_resnet", seed=9, awake=True), model)
    with pytest.raises(ModelRefused, match="no longer the model"):
        saliency_of(path, "G0001", LABEL, of="fraction")
    model.unlink()
    with pytest.raises(ModelRefused, match=r"model\.ckpt"):
        saliency_of(path, "G0001", LABEL, of="cross_entropy")
    assert saliency_of(path, "G0000", LABEL).any()


@pytest.mark.usefixtures("undrawn_figures")
def test_the_page_holds_the_votes_and_fractions(path: Path) -> None:
    report = explain(path, Which(names=["G0001"], answer=LABEL))
    assert report.page is not None
    text = re.sub(r"<[^>]+>", " ", report.page.read_text(encoding="utf-8"))
    (fact,) = rows(
        path,
        "SELECT fraction, fraction_lo FROM predictions "
        f"WHERE iauname = 'G0001' AND label = '{LABEL}'",
    )
    assert "3 of 6 volunteers asked how-rounded said round: a fraction of 0.50" in text
    assert f"The prediction is {fact['fraction']:.2f}" in text
    assert f"{fact['fraction_lo']:.2f}" in text
    assert "6 asked" in text


HOSTILE = (
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "$\\frac{1}{",
    "a'\"&{{ 7*7 }}",
    "name\nof two lines",
    "x" * 3000,
    ".hidden",
    "銀河",
)


@pytest.mark.usefixtures("undrawn_figures")
def test_hostile_names_stay_in_their_folder(tmp_path: Path, model: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    path = voted(inner / "gz.duckdb", HOSTILE)
    paint(path, inner / "images", range(GALAXIES))
    predicted(path, model)
    report = explain(path, Which(everything=True, answer=LABEL), out=inner / "deep" / "out")
    assert report.page is not None
    assert len({file.name for file in report.figures}) == 2 * len(HOSTILE)
    for file in (*report.figures, report.page):
        assert file.parent == inner / "deep" / "out"
        assert file.is_file()
        assert re.fullmatch(r"[A-Za-z0-9+_][A-Za-z0-9.+_-]{0,150}", file.name)
    page = Links(report.page)
    assert "script" not in page.tags
    text = report.page.read_text(encoding="utf-8")
    assert "&lt;script&gt;" in text
    assert "{{ 7*7 }}" in text
    for link in page.links:
        assert link.startswith("#") or (report.page.parent / unquote(link)).is_file()


@pytest.mark.usefixtures("undrawn_figures")
def test_a_galaxy_alone_has_no_counterparts(tmp_path: Path, model: str) -> None:
    path = voted(tmp_path / "gz.duckdb", galaxies=1)
    paint(path, tmp_path / "images", [0])
    predicted(path, model)
    report = explain(path, Which(names=["G0000"], answer=LABEL))
    assert report.page is not None
    assert "No counterparts: no other galaxy" in report.page.read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_told(path: Path) -> None:
    (path.parent / "file").write_text("")
    with pytest.raises(CatalogError, match="cannot be made"):
        explain(path, Which(names=["G0001"], answer=LABEL), out=path.parent / "file" / "out")


# --- images that are missing or broken


def test_bad_images_are_rejected_once_and_tried_again(tmp_path: Path, model: str) -> None:
    path = voted(tmp_path / "gz.duckdb")
    files = paint(path, tmp_path / "images", range(GALAXIES - 1))
    predicted(path, model)
    whole = files[1].read_bytes()
    files[1].write_bytes(whole[:500])
    files[2].unlink()
    wanted = ["G0000", "G0001", "G0002", "G0007"]
    report = explain(path, Which(names=wanted), figures=False)
    assert (report.explained, report.rejects) == (1, 3)
    reasons = rows(
        path, f"SELECT key, reason FROM rejects WHERE run_id = {report.run_id} ORDER BY key"
    )
    assert [row["key"] for row in reasons] == ["G0001", "G0002", "G0007"]
    assert [str(row["reason"]).split(":")[0] for row in reasons] == [
        "changed image",
        "missing image",
        "missing image",
    ]
    again = explain(path, Which(names=wanted), figures=False)
    assert (again.changed, again.rejects, again.total) == (False, 0, 1)
    files[1].write_bytes(whole)
    mended = explain(path, Which(names=wanted), figures=False)
    assert (mended.explained, mended.total, mended.run_id) == (1, 2, report.run_id)
    assert verify(path).errors == 0
    drawn = explain(path, Which(names=["G0002"], answer=LABEL))
    assert drawn.page is not None  # with a panel that says what is missing


def test_only_refused_images_are_a_run_all_the_same(tmp_path: Path, model: str) -> None:
    path = voted(tmp_path / "gz.duckdb")
    files = paint(path, tmp_path / "images", range(GALAXIES))
    predicted(path, model)
    for file in files:
        file.write_bytes(b"")
    report = explain(path, Which(everything=True), figures=False)
    assert (report.explained, report.rejects, report.changed) == (0, GALAXIES, True)


# --- which model


def test_predictions_from_a_file_need_a_model_named(path: Path, model: str) -> None:
    fractions = np.random.default_rng(0).dirichlet(np.ones(34), GALAXIES)
    with Store.open(path) as store:
        add_fractions(store, fractions)
    index(path)
    with pytest.raises(CatalogError, match="came from a file; name the model"):
        explain(path, Which(names=["G0001"], answer=LABEL))
    report = explain(path, Which(names=["G0001"], answer=LABEL), Maps(model=model))
    assert any("not of the model" in caveat for caveat in report.caveats)
    assert report.page is not None
    assert "not of the model that is explained" in report.page.read_text(encoding="utf-8")
    (run,) = rows(path, f"SELECT config FROM runs WHERE run_id = {report.run_id}")
    assert '"predict_run": null' in str(run["config"])
    assert '"samples": 30' in str(run["config"])
    with pytest.raises(CatalogError, match="do first: zoolens predict"):
        saliency_of(path, "G0001", LABEL, of="fraction")


def test_another_model_is_shown_what_its_file_says(path: Path, model: str, tmp_path: Path) -> None:
    other = str(tmp_path / "other.safetensors")
    write_model(load_model(model), View(size=48), Path(other))
    for source, size in ((other, 48), (model, SMALL.size)):
        report = explain(
            path, Which(names=["G0001"], answer=LABEL), Maps(model=source), figures=False
        )
        config = one(path, f"SELECT config FROM runs WHERE run_id = {report.run_id}")
        assert f'"size": {size}' in str(config)


def test_a_model_that_changed_since_is_refused(tmp_path: Path, model: str) -> None:
    own = tmp_path / "own.ckpt"
    shutil.copy(model, own)
    path = voted(tmp_path / "gz.duckdb")
    paint(path, tmp_path / "images", range(GALAXIES))
    predicted(path, str(own))
    other = zoobot_tree("test_resnet", awake=True, seed=5)
    save(other, own)
    with pytest.raises(ModelRefused, match="no longer the model that made the predictions"):
        explain(path, Which(names=["G0001"], answer=LABEL), figures=False)
    report = explain(
        path, Which(names=["G0001"], answer=LABEL), Maps(model=str(own)), figures=False
    )
    assert report.caveats
    own.unlink()
    with pytest.raises(ModelRefused, match="say where it is with --model"):
        explain(path, Which(names=["G0001"], answer=LABEL), figures=False)
    # wherever it lies, the model that predicted is known by its checksum
    moved = explain(path, Which(names=["G0001"], answer=LABEL), Maps(model=model), figures=False)
    assert moved.caveats == ()
    assert moved.run_id != report.run_id


def test_answers_that_the_model_lacks(tmp_path: Path) -> None:
    checkpoint = save(zoobot_tree("test_resnet", tree="gz2", awake=True), tmp_path / "gz2.ckpt")
    tree = get_tree("gz2")
    path = catalogue(tmp_path / "gz.duckdb", random_counts(2, tree, seed=1), tree=tree)
    paint(path, tmp_path / "images", range(2))
    predict(path, str(checkpoint), Inference(samples=SAMPLES, view=SMALL))
    explain(path, Which(everything=True), figures=False)
    assert one(path, "SELECT count(*) FROM saliency WHERE question = 'odd-feature'") == 0
    assert one(path, "SELECT count(*) FROM saliency") == 2 * (len(tree.questions) - 1)
    with pytest.raises(CatalogError, match="has no answer odd-feature_ring"):
        explain(path, Which(everything=True, answer="odd-feature_ring"), figures=False)


def test_an_overflowing_model_makes_rejects(path: Path, tmp_path: Path) -> None:
    broken = zoobot_tree("test_resnet", awake=True)
    with torch.no_grad():
        broken.head[1][0].weight[3] = 3e38
    checkpoint = str(save(broken, tmp_path / "broken.ckpt"))
    report = explain(path, Which(names=["G0001"]), Maps(model=checkpoint), figures=False)
    assert (report.explained, report.rejects) == (0, 1)
    reason = one(path, f"SELECT reason FROM rejects WHERE run_id = {report.run_id}")
    assert str(reason).startswith("no finite map")


@pytest.mark.usefixtures("undrawn_figures")
def test_a_changed_image_is_not_drawn_under_old_maps(path: Path, tmp_path: Path) -> None:
    report = explain(path, Which(names=["G0003"]), out=tmp_path / "before")
    assert report.rejects == 0
    (image,) = rows(path, "SELECT image FROM galaxies WHERE iauname = 'G0003'")
    file = Path(str(image["image"]))
    before = file.read_bytes()
    try:
        file.write_bytes(file.with_name("4.png").read_bytes())
        with Store.open(path, read_only=True) as store:
            subject = Subject(3, get_tree("gzd5").answer_id(LABEL), None, None, ())
            run, explained = (
                store.run(report.run_id),
                explained_model(store, None, "hirescam", None),
            )
            with ImageReader() as reader:
                explanation = read_explanation(
                    store, run, subject, explained, reader, "concentration"
                )
    finally:
        file.write_bytes(before)
    assert explanation.selected.picture is None
    assert "changed image" in explanation.selected.missing


@pytest.mark.usefixtures("undrawn_figures")
def test_maps_of_losses_need_the_model_that_predicted(path: Path, tmp_path: Path) -> None:
    other = save(zoobot_tree("resnet18", seed=5, awake=True), tmp_path / "other.ckpt")
    chosen, maps = Which(names=["G0003"], answer=LABEL), Maps(model=str(other))
    with pytest.raises(CatalogError, match="zoolens predict --model"):
        explain(path, chosen, maps, of="cross_entropy", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    report = explain(path, chosen, maps, out=tmp_path / "out")
    assert report.figures[0].name == f"G0003_{LABEL}_fraction.png"
    assert report.caveats, "the predictions are another model's"


def test_the_model_is_found_from_any_folder(
    path: Path, tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(model).parent)
    run = predict(path, Path(model).name, Inference(samples=2, view=SMALL)).run_id
    monkeypatch.chdir(tmp_path)
    score(path)
    index(path)
    report = explain(path, Which(names=["G0003"]), figures=False)
    assert report.explained == 1
    with Store.open(path, read_only=True) as store:
        assert store.run(run).config["origin"]["model"] == model
