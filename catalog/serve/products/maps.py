"""A galaxy's maps: which there are, drawn as an overlay, and as a FITS cube."""

from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Mask, Pixels
from zoolens.catalog.errors import CatalogError
from zoolens.catalog.explain.derived import Fractions, exact_fractions, stored_fractions
from zoolens.catalog.explain.maps import NO_VOTES
from zoolens.catalog.explain.wording import BASELINE, way
from zoolens.catalog.images.segments import central_segment
from zoolens.catalog.images.view import View
from zoolens.catalog.paths import subject_stem
from zoolens.catalog.release.cubes import write_cubes
from zoolens.catalog.release.gallery.images import (
    DECREASE,
    INCREASE,
    MOST_SIDE,
    overlay,
    scale_of,
    shrunk,
)
from zoolens.catalog.saliency.arithmetic import Of, cross_entropy_map, decode
from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.products.pictures import as_png, seen
from zoolens.catalog.serve.products.subject import Made, Subject
from zoolens.catalog.serve.products.writing import as_json
from zoolens.catalog.store.facts import AnswerFacts, facts_of
from zoolens.catalog.store.maps import explanation_of, question_blobs, runs_with_maps
from zoolens.catalog.store.matrices import mean_concentrations
from zoolens.catalog.store.store import Run

_SIGNS = {"increase": (INCREASE,), "decrease": (DECREASE,), "both": (INCREASE, DECREASE)}


class _Map(NamedTuple):
    """A map (h, w) of one answer, this galaxy's value of what it is of, and what it starts from.

    exact: whether it is the mean of the dropout samples' maps, and not a first order.
    """

    cells: npt.NDArray[np.floating]
    value: float | None
    baseline: float | None = None
    exact: bool = True


def listed(subject: Subject, asked: Product) -> Made:
    """Which maps there are of a galaxy, by which runs, and each in numbers.

    Choices: `run`, by default the newest that explains the predictions that show; `of`. Of each
    answer: the galaxy's value, the baseline that the map adds up from, where the colours of its
    overlay end, the sums and the shares on the galaxy of what raised and what lowered it, and the
    cells themselves, (h, w), in units of what they are of.
    """
    run, of = _run(subject, asked), _of(asked)
    maps, segment, tree = _maps(subject, run, of), _segment(subject), subject.store.tree
    answers = []
    for answer_id, one in sorted(maps.items()):
        question = tree.questions[tree.question_of[answer_id]]
        answers.append(
            {
                "question": question.name,
                "answer": question.answers[
                    answer_id - tree.slices[tree.question_of[answer_id]].start
                ],
                "label": tree.labels[answer_id],
                "value": one.value,
                "baseline": one.baseline,
                "exact": one.exact,
                "scale": vars(scale_of(one.cells, segment, of)),
                "words": _words(one, of),
                "cells": one.cells.tolist(),
            }
        )
    cells = next(iter(maps.values())).cells
    content = {
        "galaxy": subject.name,
        "run": run.run_id,
        "of": of,
        "runs": [_described(one) for one in runs_with_maps(subject.store, subject.galaxy_id)],
        "grid": list(cells.shape),
        "view": _view(run).size,
        "baseline": BASELINE if any(one.baseline is not None for one in maps.values()) else None,
        "answers": answers,
    }
    return as_json(subject, "maps", content)


def drawn(subject: Subject, asked: Product) -> Made:
    """The overlay of one answer's map, transparent PNG, as the gallery draws it.

    Choices: `answer`; `of`; `show`, which sign; `run`; `on`: the image below it, if it is there.
    """
    run, of = _run(subject, asked), _of(asked)
    tree = subject.store.tree
    answer_id = tree.answer_id(asked.choice("answer") or "")
    maps = _maps(subject, run, of, [answer_id])
    if answer_id not in maps:
        words = NO_VOTES if of == "cross_entropy" else "run {run} has no map of {label}"
        label = tree.labels[answer_id]
        raise CatalogError(words.format(label, run=run.run_id, label=label))
    side = min(_view(run).size, MOST_SIDE)
    pixels = np.zeros((side, side, 4), np.uint8)
    for sign in _SIGNS[asked.choice("show") or "both"]:
        one = overlay(maps[answer_id].cells, sign, side, of)
        pixels = np.where(one[..., 3:] > 0, one, pixels)
    if asked.choice("on") == "image":
        pixels = _over(pixels, shrunk(seen(subject), side))
    return as_png(subject, f"map-{of}", pixels)


def cube(subject: Subject, asked: Product, scratch: Path) -> Made:
    """The stored maps of a run as a FITS cube, as a release has them. Choice: `run`."""
    run = _run(subject, asked)
    write_cubes(
        subject.store, run.run_id, np.array([subject.galaxy_id], np.int64), scratch / "cubes"
    )
    (file,) = (scratch / "cubes").iterdir()
    name = f"{subject_stem(subject.name)}-maps.fits"
    return Made("application/fits", name, file.read_bytes())


def _run(subject: Subject, asked: Product) -> Run:
    """The run whose maps are asked for. Raises `CatalogError` if there are none."""
    runs = {run.run_id: run for run in runs_with_maps(subject.store, subject.galaxy_id)}
    number = asked.choice("run")
    if number is None:
        run = explanation_of(subject.store, subject.galaxy_id)
        if run is None:
            raise CatalogError(f"{subject.name} has no maps")
        return run
    if int(number) not in runs:
        those = ", ".join(map(str, sorted(runs)))
        raise CatalogError(
            f"run {number} has no maps of {subject.name}"
            + (f"; runs that have: {those}" if runs else "")
        )
    return runs[int(number)]


def _of(asked: Product) -> Of:
    return cast(Of, asked.choice("of") or "fraction")


def _maps(subject: Subject, run: Run, of: Of, some: list[int] | None = None) -> dict[int, _Map]:
    """A run's maps of a galaxy by answer; some: of these answers alone."""
    tree, number = subject.store.tree, subject.galaxy_id
    ids = np.array([number], np.int64)
    wanted = range(len(tree.labels)) if some is None else some
    questions = sorted({int(tree.question_of[answer]) for answer in wanted})
    stored: dict[int, npt.NDArray[np.floating]] = {}
    for _, question, blob in question_blobs(subject.store, run, ids, questions):
        stored |= dict(enumerate(decode(**blob), tree.slices[question].start))
    stored = {answer: cells for answer, cells in stored.items() if answer in wanted}
    if of == "concentration" or not stored:
        predict_run = run.config.get("predict_run")
        alpha = mean_concentrations(subject.store, tree, predict_run, ids)[0]
        return {
            answer: _Map(cells, None if np.isnan(alpha[answer]) else float(alpha[answer]))
            for answer, cells in stored.items()
        }
    fractions, exact = _fractions(subject, run, [*stored])
    made = {
        answer: _Map(one.raised, one.expected, one.baseline, (number, answer) in exact)
        for (_, answer), one in fractions.items()
    }
    return made if of == "fraction" else _losses(made, facts_of(subject.store, [number])[number])


def _fractions(subject: Subject, run: Run, answers: list[int]) -> tuple[Fractions, Fractions]:
    """Maps of the fractions of answers that have maps, and those of them that are exact.

    Where model or image are no longer there to make them, they are the first order that the
    stored maps give, as in a gallery. Raises `CatalogError` if that cannot be had either.
    """
    store, number = subject.store, subject.galaxy_id
    first = stored_fractions(store, run, {number: answers})
    exact = subject.kept.read(store, run, number)
    if exact is None:
        every = {number: [*range(len(store.tree.labels))]}
        try:
            exact, _ = exact_fractions(store, run, every)
        except CatalogError:
            if not first:
                raise
            exact = {}
        subject.kept.write(store, run, number, exact)
    exact = {key: one for key, one in exact.items() if key[1] in answers}
    return first | exact, exact


def _losses(made: dict[int, _Map], facts: list[AnswerFacts]) -> dict[int, _Map]:
    """Maps of the losses of answers that have votes, from those of their fractions."""
    found = {}
    for answer, one in made.items():
        voted, expected = facts[answer].observed, one.value
        if voted is not None and expected is not None:
            cells = cross_entropy_map(one.cells, expected, voted, one.baseline)
            found[answer] = _Map(cells, facts[answer].ce, None, one.exact)
    return found


def _words(one: _Map, of: Of) -> str | None:
    if of != "fraction" or one.baseline is None or one.value is None:
        return None
    return way(one.baseline, one.value)


def _segment(subject: Subject) -> Mask | None:
    """The central galaxy in its image; None without an image."""
    try:
        return central_segment(seen(subject))
    except CatalogError:
        return None


def _view(run: Run) -> View:
    return View(**run.config["view"]) if "view" in run.config else View()


def _described(run: Run) -> dict[str, Any]:
    """A run, by what tells its maps from others'."""
    derived = ["fraction", "cross_entropy"] if run.config.get("predict_run") is not None else []
    return {
        "run": run.run_id,
        "method": run.config.get("method"),
        "of_fractions": run.config.get("of fractions"),
        "layer": run.config.get("layer"),
        "samples": run.config.get("samples"),
        "model": run.model_sha256,
        "comparison": run.job == "comparison",
        "of": ["concentration", *derived],
    }


def _over(pixels: Pixels, image: Pixels) -> Pixels:
    """An overlay (side, side, 4) on an image (side, side, 3)."""
    strength = pixels[..., 3:] / 255
    return np.round(strength * pixels[..., :3] + (1 - strength) * image).astype(np.uint8)
