"""Measures of a model's maps: localisation, sanity, faithfulness, stability."""

from collections.abc import Sequence

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.evaluation.faithfulness import faithfulness
from zoolens.catalog.evaluation.localisation import Pointing, localisation
from zoolens.catalog.evaluation.measures import Measure
from zoolens.catalog.evaluation.recipe import Trials
from zoolens.catalog.evaluation.sanity import DRAWS, cascade, shuffled, verdicts
from zoolens.catalog.evaluation.stability import dropout_spread, seed_agreement
from zoolens.catalog.evaluation.trial import UNINFORMED, Batch, MapTrial, Tested, Typical


def tested(trials: Trials, batches: Sequence[Batch]) -> Tested:
    """What the maps of all batches came to."""
    found = Tested()
    for one in trials(MapTrial.tested, batches, "explaining", lambda batch: len(batch.galaxies)):
        found.take(one)
    return found


def localised(tree: DecisionTree, pointed: Sequence[tuple[int, str, Pointing]]) -> list[Measure]:
    """Localisation of each answer that had cases, by each method."""
    found: dict[tuple[int, str], list[Pointing]] = {}
    for answer, method, held in pointed:
        found.setdefault((answer, method), []).append(held)
    return [
        measure
        for (answer, method), held in sorted(found.items(), key=lambda item: item[0][0])
        for measure in localisation(tree.labels[answer], method, held)
    ]


def sanity_measures(trials: Trials, typical: Typical) -> list[Measure]:
    """Sanity checks of every method's maps; the second only with a control."""
    methods = trials.trial.methods
    draws = [(typical, draw) for draw in range(DRAWS)]
    measures = cascade([*trials(MapTrial.drawn, draws, "drawing weights")], methods)
    if trials.trial.control is not None:
        (found,) = trials(MapTrial.beside_control, [typical], "comparing with the control")
        measures += shuffled(found, methods)
    return [*measures, *verdicts(measures)]


def faithfulness_measures(trials: Trials, typical: Typical) -> list[Measure]:
    """Faithfulness and stability of every method's maps."""
    methods = [*trials.trial.methods, *UNINFORMED]
    items = [(typical, method) for method in methods]
    found = dict(
        zip(methods, trials(MapTrial.taken_away, items, "taking pixels away"), strict=True)
    )
    (maps,) = trials(MapTrial.scattered, [typical], "comparing dropout samples")
    return [
        *(
            measure
            for method, one in found.items()
            for measure in faithfulness(method, one.changes)
        ),
        *(seed_agreement(name, one.alike) for name, one in found.items() if one.alike is not None),
        *dropout_spread(*maps, trials.trial.explainer.method),
    ]
