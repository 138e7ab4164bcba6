"""A catalogue opened in Python, to look at: `zoolens.open`."""

import os
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.output.aladin import SURVEY
from zoolens.catalog.output.notebook import sentence
from zoolens.catalog.store.shown import FEWEST_VOTES
from zoolens.catalog.store.store import Store
from zoolens.catalog.survey.folder import catalogues, is_survey, open_survey
from zoolens.explained import Explained
from zoolens.given import Form, formed, listed
from zoolens.held import Held

if TYPE_CHECKING:
    from zoolens.catalog.explain.one_galaxy import GalaxyShown
    from zoolens.catalog.images.segments import Segments
    from zoolens.catalog.saliency.arithmetic import Of
    from zoolens.catalog.similarity.exchange import Exchange

_UNITS = {"ce": "nat", "weighted_ce": "nat", "reach_weighted_ce": "nat", "score": "nat"}


def open(path: str | os.PathLike[str]) -> "Catalog":  # noqa: A001  # as zoolens.open it reads well
    """The catalogue at a path, brought to this version of Zoolens; or the survey in a folder.

    Raises `CatalogError` if there is none, or it is damaged or newer, and its kind
    `CatalogBusy` if another process writes to it and no copy of its state can be made.
    """
    if is_survey(Path(path)):
        open_survey(Path(path))
        return Catalog(path)
    with Store.look(Path(path)):
        return Catalog(Path(path))


class Catalog(Held):
    """A catalogue to look at.

    Every call opens the file, which takes some 30 ms, and closes it again, so that an idle
    notebook does not make jobs of other processes wait. While a job of another process writes to
    it, a call looks at a copy of the last committed state, and says so on stderr. Within
    `with zoolens.open(path) as gz:` it is held, the file or the copy: the calls see the same
    state, and nobody else can begin to write meanwhile, except that `explain` lets
    it go while it may write, as does `similar` if it has to build the index.

    Of a survey, `sql`, `worst` and `similar` answer over all pieces; each call opens them, and none
    is held. Everything else is asked of the piece that has the galaxy, opened by itself.

    Tables are pandas frames, which a notebook shows as a terminal does; as_="arrow" makes them a
    `pyarrow.Table`, as_="numpy" a dictionary of arrays by column. (An argument, not an object to
    ask for a frame: a frame is what a notebook shows and goes on with.) Maps and images are
    NumPy arrays.
    """

    def __repr__(self) -> str:
        return f"zoolens.open({str(self.path)!r})"

    def _repr_html_(self) -> str:
        """What it holds, as `zoolens status` says it."""
        from zoolens.jobs.status import status, survey_status

        try:
            look = survey_status if is_survey(self.path) else status
            return look(self.path)._repr_html_()
        except CatalogError as error:  # moved meanwhile, say: what shows it must not fail
            return sentence(str(error), strong=repr(self))

    def sql(
        self,
        query: str | None = None,
        *,
        memory: float | None = None,
        timeout: float | None = None,
        as_: Form = "pandas",
    ) -> Any:
        """The answer to one SELECT; without a query, the views, their columns and meanings.

        query: may also be the name of a view, to describe it. memory: GB that the query may
        take, four fifths of the machine's unless given, or what the connection has that the
        catalogue is open by; timeout: seconds, an hour unless given. Of columns of one name
        the later ones are numbered. Raises `QueryRefused` with DuckDB's own message if the
        query is wrong, `CatalogError` if it takes too much.
        """
        from zoolens.jobs.sql import TIMEOUT, sql

        seconds = TIMEOUT if timeout is None else timeout
        with sql(self.path, query, memory=memory, timeout=seconds) as answer:
            return formed(answer.arrow().read_all(), as_)

    def worst(
        self,
        limit: int = 10,
        *,
        answer: str | None = None,
        question: str | None = None,
        min_votes: float = FEWEST_VOTES,
        by: str = "weighted_ce",
        where: str | None = None,
        as_: Form = "pandas",
    ) -> Any:
        """The galaxies on which volunteers and model disagree most, as in `zoolens worst`.

        answer, question: only this answer, or answers to this question; min_votes: only
        questions asked of so many volunteers, 0 for all; by: weighted_ce, ce or reach_weighted_ce;
        where: an SQL condition on the views `galaxies` and `own`.
        """
        from zoolens.jobs.worst import worst

        ranking = worst(
            self.path,
            limit=limit,
            min_votes=min_votes,
            answer=answer,
            question=question,
            by=by,
            where=where,
        )
        return formed(ranking, as_, _UNITS)

    def similar(
        self,
        galaxy: str,
        *,
        answer: str | None = None,
        k: int = 5,
        weights: str | None = None,
        min_votes: float | None = None,
        exchange: "Exchange" = "question",
        approximate: bool = False,
        as_: Form = "pandas",
    ) -> Any:
        """A galaxy, its k observed and its k predicted counterparts, as `zoolens similar`.

        answer: the one of interest, the galaxy's costliest unless given; weights: `paper`, `none`
        or a file, unless given 5 for what is exchanged and 1 for others; approximate: sooner in
        very large catalogues, and missing some; min_votes: so many volunteers were asked the
        question, of the counterparts, too; unless given 10, and fewer where there are none of so
        many; exchange: the fractions of the whole "question", or of the "answer" alone. The index
        that they are found by is built if it is not up to date. Raises `UnknownName` for an unknown
        galaxy or answer, `CatalogError` for what cannot be compared.
        """
        from zoolens.jobs.index import is_current
        from zoolens.jobs.pipeline import similar

        pieces = catalogues(self.path)
        current = len(pieces) == 1 and is_current(pieces[0], approximate=approximate)
        with nullcontext() if current else self._let_go():
            report = similar(
                self.path,
                galaxy,
                answer=answer,
                k=k,
                weights=weights,
                approximate=approximate,
                min_votes=min_votes,
                exchange=exchange,
            )
        return formed(report.table, as_, _UNITS)

    def saliency(
        self,
        galaxies: str | Iterable[str],
        answers: str | Iterable[str],
        *,
        of: "Of" = "concentration",
        size: int | None = None,
        sd: bool = False,
    ) -> npt.NDArray[np.floating]:
        """Maps of N explained galaxies for K answers, one array (N, K, h, w).

        Positive pixels raised what the map is of, negative ones lowered it: the answer's
        concentration, its expected "fraction", or "cross_entropy", the loss, in its unit per
        cell. size: upsampled to (size, size) pixels of `image` instead of the cells of the
        layer; sd: the standard deviation over dropout samples instead of the mean, of
        concentrations only. Maps of concentrations are stored; the others are made from the
        images by the model, which must be there, unless dropout was off.

        NaN where a galaxy or an answer has no map (`zoolens.explain` makes them). Raises
        `UnknownName` for a galaxy or answer that is not there, `CatalogError` if there
        is no map at all, or if those of several resolutions need a size.
        """
        from zoolens.catalog.explain.stack import saliency_stack

        with Store.look(self.path) as store:
            return saliency_stack(store, listed(galaxies), listed(answers), of=of, sd=sd, size=size)

    def samples(self, galaxies: str | Iterable[str]) -> npt.NDArray[np.float32]:
        """Posterior samples of the concentrations of N galaxies, (N, M, T, A).

        T dropout samples of each of the M models that predicted, A answers in the order of the
        view `answers`; NaN where a galaxy has none, or the models lack an answer. What each
        model expects is `(s / s_of_the_question).mean(axis=2)`; all of them pooled are the
        posterior. Raises `UnknownName` for a galaxy that is not there, `CatalogError` if none has
        samples.
        """
        from zoolens.catalog.predictions.stored_samples import stored_samples

        with Store.look(self.path) as store:
            return stored_samples(store, listed(galaxies))

    def image(self, galaxy: str, *, stored: bool = False) -> npt.NDArray[np.uint8]:
        """A galaxy's image, (H, W, 3) in 0..255: as the model saw it, in colour.

        So it lies under its maps of `saliency(..., size=H)`. stored: every pixel of the file.
        Raises `ImageRefused` if the file is not there or not what was ingested,
        `CatalogError` if there is none.
        """
        from zoolens.catalog.explain.maps import image_of

        with Store.look(self.path) as store:
            return image_of(store, galaxy, stored=stored)

    def segments(self, galaxy: str) -> "Segments":
        """Which pixels of `image(galaxy)` are its `galaxy`, which `neighbours`; the rest is sky.

        As the shares of `saliency_stats` have it. Raises as `image` does.
        """
        from zoolens.catalog.images.segments import segments

        return segments(self.image(galaxy))

    def galaxy(self, name: str) -> "GalaxyShown":
        """A galaxy to look at in a notebook: image, votes beside predictions, losses.

        Its `table` has them as a frame, a row an answer. Raises `UnknownName` if it is not there.
        """
        from zoolens.catalog.explain.one_galaxy import one_galaxy

        with Store.look(self.path) as store:
            return one_galaxy(store, name)

    def sky(self, galaxies: str | Iterable[str], *, survey: str = SURVEY) -> Any:
        """Where galaxies are on the sky: a widget of ipyaladin, for a notebook.

        galaxies: names, such as the column `iauname` of a table; survey: what is drawn behind them,
        a HiPS by its identifier. The pictures are fetched by the browser. Raises `NotInstalled`
        without ipyaladin, `UnknownName` for a galaxy that is not there, `CatalogError` if none
        has a position.
        """
        from zoolens.catalog.output.aladin import aladin
        from zoolens.catalog.store.galaxies import galaxy_ids, read_places

        with Store.look(self.path) as store:
            numbers = galaxy_ids(store, listed(galaxies))
            return aladin(read_places(store, np.unique(numbers)), survey)

    def explain(
        self,
        galaxies: str | Iterable[str] = (),
        *,
        worst: int | None = None,
        min_votes: float | None = None,
        where: str | None = None,
        answer: str | None = None,
        exchange: "Exchange" = "question",
        of: "Of" = "fraction",
        model: str | Sequence[str] | None = None,
        method: str = "deeplift",
        layer: str | None = None,
        engine: str = "auto",
        grey_as_colour: bool = False,
        out: str | os.PathLike[str] | None = None,
    ) -> "Explained":
        """Explain galaxies, and draw the figures into the notebook, as `zoolens explain` does.

        galaxies: their names; or worst: the N worst, of those for which the SQL condition
        `where` on the views `galaxies` and `own` holds. answer: the one to draw, each galaxy's
        costliest unless given; exchange: as for `similar`; of: what the drawn maps are of, the
        predicted fraction unless given. Everything else is as in `zoolens.explain`. Maps go into
        the catalogue, figures and a page into the folder `out`, beside the catalogue unless given.
        """
        from zoolens.jobs.explain_survey import explain_one
        from zoolens.jobs.settings import Maps, Which

        which = Which(
            listed(galaxies),
            worst=worst,
            min_votes=min_votes,
            answer=answer,
            where=where,
            exchange=exchange,
        )
        maps = Maps(model, method, layer, engine, grey_as_colour)
        with self._let_go():
            folder = None if out is None else Path(out)
            report = explain_one(self.path, which, maps, of=of, out=folder)
        pictures = tuple(file for file in report.figures if file.suffix == ".png")
        return Explained(pictures, report.page)
