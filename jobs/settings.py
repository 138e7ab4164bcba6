"""Settings that several jobs take, as one object each: inference, maps, releases, surveys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoolens.catalog.explain.choice import Which

if TYPE_CHECKING:
    from zoolens.catalog.decision_tree import DecisionTree
    from zoolens.catalog.images.sources import ImageListing
    from zoolens.catalog.images.view import View
    from zoolens.catalog.store.rejects import Reject

__all__ = ["Cut", "Inference", "Maps", "Share", "Which"]


@dataclass(frozen=True)
class Inference:
    """How a model makes posteriors.

    samples: Monte Carlo dropout samples of the head, 0 turns dropout off; seed: of them. view: what
    the model was trained to see; unless given, what its file says, or else the default view.
    engine: what runs the encoder (`catalog.network.engines`). precision: `float32` or `bfloat16`.
    grey_as_colour: models of three channels are shown images of one. orientations: that an image is
    seen in, 1, 2, 4 or 8, among which the samples are shared out; with dropout off there is a
    sample of each (`catalog.network.orientations`).
    """

    samples: int = 30
    seed: int = 0
    view: "View | None" = None
    engine: str = "auto"
    precision: str = "float32"
    grey_as_colour: bool = False
    orientations: int = 1


@dataclass(frozen=True)
class Maps:
    """How saliency maps are made.

    model: unless given, the one that made the newest predictions; or several, whose maps are
    pooled. method: `deeplift` of fractions with `hirescam` of concentrations, or `hirescam` or
    `gradcam` of both. layer: a module's dotted name; unless given, the last encoder block, and
    for `deeplift` a finer one (`catalog.saliency.deeplift`). engine: what runs the encoder; `auto`
    is torch if OpenVINO does not serve. grey_as_colour: a model of three channels is shown images
    of one, also where it did not predict so.
    """

    model: str | Sequence[str] | None = None
    method: str = "deeplift"
    layer: str | None = None
    engine: str = "auto"
    grey_as_colour: bool = False

    @property
    def cam(self) -> str:
        """The method of maps of concentrations, and of classifiers and regressors."""
        return "hirescam" if self.method == "deeplift" else self.method

    @property
    def models(self) -> Sequence[str]:
        """The models that are named."""
        return [self.model] if isinstance(self.model, str) else self.model or ()


@dataclass(frozen=True)
class Cut:
    """What of a catalogue a release holds, and in which forms.

    preset: `full`, or `friendly`, few columns and no long tables; columns: those named
    instead, of the table of galaxies. where: an SQL condition on any column of the full
    table. min_votes: only answers to questions asked of so many volunteers rank, and only
    galaxies with such a question are there; unless given all are, and the gallery shows those of
    `FEWEST_VOTES`. formats: of the table of galaxies; Parquet is
    always among them. counterparts: of how many of the worst galaxies to name them;
    gallery: how many of the worst galaxies to show on a page. cubes: saliency maps as
    FITS files too.
    """

    preset: str = "full"
    columns: Sequence[str] = ()
    where: str | None = None
    min_votes: float | None = None
    formats: Sequence[str] = ("parquet", "fits")
    counterparts: int = 1000
    gallery: int = 0
    cubes: bool = False

    @property
    def needs_index(self) -> bool:
        """Whether counterparts are looked for."""
        return self.counterparts > 0 or self.gallery > 0


@dataclass(frozen=True)
class Share:
    """What an ingest into a survey gives to one of its pieces, beside rows of the table.

    tree: the survey's, None if it has none yet; images: of the piece's galaxies, None without
    `images`; rejects: rows that no piece has, which one of them is to record.
    """

    tree: "DecisionTree | None" = None
    images: "ImageListing | None" = None
    rejects: "Sequence[Reject]" = ()
