"""Votes, predictions and losses of a galaxy, for every question."""

import numpy as np

from zoolens.catalog.errors import CatalogError
from zoolens.catalog.serve.asking import Product
from zoolens.catalog.serve.products.subject import Made, Subject
from zoolens.catalog.serve.products.writing import as_json
from zoolens.catalog.similarity.listing import costliest_answer
from zoolens.catalog.store.facts import facts_of, losses_of
from zoolens.catalog.store.galaxies import image_facts, read_places
from zoolens.catalog.store.matrices import mean_concentrations, read_predictions


def votes(subject: Subject, asked: Product) -> Made:
    """All that is known of a galaxy in numbers; null where nothing is.

    Of a question how many volunteers were asked it, and its reach; of an answer the votes, the
    observed and the predicted fraction, the latter with its central 90 % interval, the mean
    concentration, and the loss, nat, alone and weighted. `image` is the format of the image,
    `costliest` the label of the answer to look at first.
    """
    store, number = subject.store, subject.galaxy_id
    ids, tree = np.array([number], np.int64), store.tree
    predicted, scored = store.shown_run("predict"), store.shown_run("score")
    facts = facts_of(store, [number])[number]
    losses = losses_of(store, number)
    empty = np.full((1, len(tree.labels)), np.nan)
    concentrations, reach = empty, empty
    if predicted is not None:
        concentrations = mean_concentrations(store, tree, predicted.run_id, ids)
        _, reach = read_predictions(store, tree, predicted.run_id, ids)
    questions = [
        {
            "question": question.name,
            "asked_after": question.asked_after,
            "votes": facts[where.start].total,
            "reach": float(reach[0, where.start]),
            "answers": [
                {
                    "answer": fact.answer,
                    "label": fact.label,
                    "count": fact.count,
                    "observed": fact.observed,
                    "predicted": fact.predicted,
                    "lo": fact.lo,
                    "hi": fact.hi,
                    "concentration": float(concentrations[0, place]),
                    "loss": fact.ce,
                    "weighted_loss": None if fact.ce is None else losses.get(place),
                }
                for place, fact in enumerate(facts[where], where.start)
            ],
        }
        for question, where in zip(tree.questions, tree.slices, strict=True)
    ]
    (place,) = read_places(store, ids)
    content = {
        "galaxy": subject.name,
        "galaxy_id": number,
        "piece": subject.home and subject.home.piece,
        "ra": place.ra,
        "dec": place.dec,
        "image": next(iter(image_facts(store, [number])["format"].to_pylist()), None),
        "predict_run": predicted and predicted.run_id,
        "score_run": scored and scored.run_id,
        "costliest": _costliest(subject),
        "questions": questions,
    }
    return as_json(subject, "votes", content)


def _costliest(subject: Subject) -> str | None:
    """The label of the answer to look at first; None where none stands out."""
    try:
        answer = costliest_answer(subject.store, subject.name, subject.galaxy_id)
    except CatalogError:
        return None
    return subject.store.tree.labels[answer]
