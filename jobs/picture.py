"""`explain` of one image: what a model predicts for it, and why, without a catalogue."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
from PIL import Image

from zoolens.catalog.errors import CatalogError, ImageRefused, few
from zoolens.catalog.explain.estimate_figure import estimate_figure
from zoolens.catalog.explain.estimates import estimate_image
from zoolens.catalog.explain.image_figure import image_figure
from zoolens.catalog.explain.maps import check_derivable
from zoolens.catalog.explain.members import explainer_of
from zoolens.catalog.explain.model import how, of_samples
from zoolens.catalog.explain.one_image import explain_image
from zoolens.catalog.images.reader import ImageReader
from zoolens.catalog.network.bundled import settled
from zoolens.catalog.network.engines import choose_engine
from zoolens.catalog.network.ensemble import (
    load_ensemble,
    load_estimator,
    predict_votes,
    sha256_of_models,
)
from zoolens.catalog.network.model import check_draw, load_model
from zoolens.catalog.network.orientations import check_upright
from zoolens.catalog.output.figures import save
from zoolens.catalog.output.notebook import figure
from zoolens.catalog.paths import picture_stem
from zoolens.catalog.runtime.files import make_folder
from zoolens.catalog.saliency.arithmetic import Of
from zoolens.catalog.saliency.explainer import Explainer
from zoolens.catalog.trees.published import get_tree
from zoolens.catalog.trees.telling import tree_of
from zoolens.jobs.reports import MANY_QUESTIONS, InNotebook
from zoolens.jobs.settings import Inference, Maps


@dataclass(frozen=True)
class PictureReport(InNotebook):
    """What was made of one image.

    picture: the image file. table: a row per answer, of the questions that most volunteers would
    be asked first: expected fraction, its central 90 % interval, reach, and for several models
    their spread; of a classifier or regressor a row per class, or one: as in the view `estimates`.
    figures: the files drawn.
    missing_questions: of the tree, those that the model does not predict. remarks: what else to
    know, one sentence each.
    """

    job: ClassVar[str] = "explain"
    run_id: ClassVar[None] = None
    changed: ClassVar[bool] = True
    picture: Path
    table: pa.Table
    figures: tuple[Path, ...]
    missing_questions: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        return f"{self.picture.name}; figure in {self.figures[0]}, no catalogue"

    @property
    def notes(self) -> tuple[str, ...]:
        missing = few(list(self.missing_questions), MANY_QUESTIONS)
        return (*([f"no predictions for {missing}"] if missing else []), *self.remarks)

    def _repr_html_(self) -> str:
        drawn = [file for file in self.figures if file.suffix == ".png"]
        return super()._repr_html_() + "".join(figure(file, file.stem) for file in drawn)


def explain_picture(
    picture: Path,
    maps: Maps,
    inference: Inference = Inference(),
    *,
    tree: str | None = None,
    answer: str | None = None,
    of: Of = "fraction",
    out: Path | None = None,
) -> PictureReport:
    """Predict one image, and draw which of its pixels speak for what is predicted.

    maps: the model, or several, and how their maps are made, or a classifier or regressor, of which
    all but tree, answer and of holds; inference: samples, seed, orientations, and the
    view unless the model's file says it. tree: a name or file, told from the model's labels unless
    given. answer: the one to draw; unless given, the likeliest of each question that half of
    the volunteers would be asked, at most four. of: what the maps are of, "concentration" or
    "fraction". out: folder of the figure, the current one unless given. No catalogue is
    read or written. Raises `CatalogError` and its kinds.
    """
    check_derivable(of, sd=False)
    if of == "cross_entropy":
        raise CatalogError("an image without votes has no loss; draw the concentration or fraction")
    if not maps.models:
        raise CatalogError(
            f"name the model that is to explain {picture}: --model CHECKPOINT, or --model bundled"
        )
    try:
        with ImageReader() as reader:
            image = reader.open(str(picture))
    except ImageRefused as error:
        raise ImageRefused(f"{picture}: {error}") from None
    folder = out or Path()
    if not predict_votes(maps.models):
        if tree or answer or of != "fraction":
            raise CatalogError(
                f"{maps.models[0]} is no model of a decision tree: leave out tree, answer and of"
            )
        return _estimated(picture, image, maps, inference, folder)
    models, said = settled(maps.models, None if tree is None else get_tree(tree))
    first, engine = models[0], choose_engine(maps.engine, 1)
    asked = tree_of(load_model(first).labels, source=first, tree=tree, whole=True)
    members = load_ensemble(models, asked, inference.view, maps.grey_as_colour)
    samples, seed, turns = inference.samples, inference.seed, inference.orientations
    check_draw(samples, seed, len(members), turns)
    view, explainer = explainer_of(
        members, asked.slices, samples, seed, maps.method, maps.layer, engine, turns
    )
    found = explain_image(
        image,
        members,
        asked,
        view,
        explainer,
        samples=samples,
        seed=seed,
        orientations=turns,
        of=of,
    )
    drawn = found.telling if answer is None else [asked.answer_id(answer)]
    named = ", ".join(dict.fromkeys(one.model.architecture for one in members))
    provenance = (
        f"{how(explainer, of)}, {of_samples(samples, turns)}, bilinear; {len(members)} "
        f"model{'s' * (len(members) > 1)} ({named}), SHA-256 {sha256_of_models(members)[:12]}…"
    )
    make_folder(folder)
    figures = save(
        image_figure(picture.name, found, drawn, provenance), folder / picture_stem(picture)
    )
    missing = members[0].model.missing_questions(asked)
    return PictureReport(picture, found.table(), tuple(figures), missing, said)


def _estimated(
    picture: Path, image: Image.Image, maps: Maps, inference: Inference, folder: Path
) -> PictureReport:
    """As `explain_picture`, by a classifier or regressor."""
    samples, seed = inference.samples, inference.seed
    check_upright(inference.orientations)
    member = load_estimator(maps.models[0], inference.view, maps.grey_as_colour)
    model = member.model
    explainer = Explainer(
        model,
        member.masks(samples, seed),
        size=member.view.size,
        layer=maps.layer,
        method=maps.cam,
        engine=choose_engine(maps.engine, 1),
    )
    table, drawn = estimate_image(image, member, explainer, samples=samples, seed=seed)
    provenance = (
        f"{how(explainer, 'concentration')}, {samples} dropout samples, bilinear; "
        f"{model.architecture}, SHA-256 {model.sha256[:12]}…"
    )
    make_folder(folder)
    figure = estimate_figure(picture.name, drawn, len(table), model.output, provenance)
    return PictureReport(picture, table, tuple(save(figure, folder / picture_stem(picture))), ())
