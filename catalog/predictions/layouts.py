"""The published layouts of predictions: which columns hold which answer's.

- GZ DECaLS (Walmsley et al. 2022), `auto_posteriors`: `QUESTION_ANSWER_concentration`, a number
  or a list of posterior samples, else its mean, `_concentration_mean`.
- Euclid Q1: `QUESTION_ANSWER_dirichlet`, beside `_fraction`, which is NULL where the question
  hardly matters.
- GZ DESI (Walmsley et al. 2023) and Zoobot's summaries: `QUESTION_ANSWER_fraction`; advanced
  tables also have the ends of their central 90 % interval, `_90pc-lower` and `_90pc-upper`.
- Zoobot's `predict_on_catalog`: `QUESTION_ANSWER_pred`, or the bare label, a number or a list.
  What they are, the model says and the file does not: see `catalog.predictions.natures`.
- A release of Zoolens: concentrations, which are means of the samples, and what the samples gave:
  `_pred_frac`, `_pred_frac_sd`, the ends `_pred_frac_lo` and `_pred_frac_hi`,
  `_pred_frac_model_sd` of several models, and by question `_mutual_information`. These count.

Reach is read where a table of fractions states it, by question (`_proportion_volunteers_asked`)
or by answer (`_proportion-asked`). The question may carry its campaign.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zoolens.catalog.decision_tree import DecisionTree, Question
from zoolens.catalog.errors import TableRefused, nearest
from zoolens.catalog.formats.identifiers import identifier_columns
from zoolens.catalog.trees.published import suffixes
from zoolens.catalog.trees.telling import tree_of

_CONCENTRATION_ENDINGS = ("_concentration", "_dirichlet", "_concentration_mean")
_UNTOLD_ENDINGS = ("_pred", "")  # concentrations or fractions
_PREDICTED = "_pred_frac"
_FRACTION_ENDINGS = (_PREDICTED, "_fraction")  # the second may be a fraction of votes
_INTERVAL = ("_90pc-lower", "_90pc-upper")
_INTERVAL_OF_RELEASE = ("_pred_frac_lo", "_pred_frac_hi")
_SD, _MODEL_SD = "_pred_frac_sd", "_pred_frac_model_sd"
_INFORMATION = "_mutual_information"
_REACH, _REACH_OF_ANSWER = "_proportion_volunteers_asked", "_proportion-asked"
# Zoobot's concentrations lie in 1..101; those of other models may not, but outside these limits
# no Dirichlet distribution is meant.
LEAST, MOST = 1e-6, 1e6
# Columns with these endings are predictions, whatever tree they are of.
_ENDINGS = (*_CONCENTRATION_ENDINGS, "_pred", *_FRACTION_ENDINGS, *_INTERVAL)


_KINDS = (
    *("concentrations", "fractions", "untold", "lower", "upper", "sd", "model_sd"),
    *("reach", "information"),
)


@dataclass(frozen=True)
class PublishedLayout:
    """Which columns hold what, by label of the tree.

    concentrations: of complete questions only; fractions: of answers of the other
    questions, and those that a release states beside its concentrations; untold: of complete
    questions, concentrations or fractions; lower, upper: ends of the fractions' central 90 %
    interval. sd, model_sd: their spread, and that of several models. reach, information: by
    question, as a table states it. incomplete: questions with concentrations of some answers, not
    used. unread: columns that look like predictions, of
    nothing that is read. least: the smallest concentration that there may be.
    """

    identifier: str
    concentrations: Mapping[str, str] = field(default_factory=dict)
    fractions: Mapping[str, str] = field(default_factory=dict)
    untold: Mapping[str, str] = field(default_factory=dict)
    lower: Mapping[str, str] = field(default_factory=dict)
    upper: Mapping[str, str] = field(default_factory=dict)
    sd: Mapping[str, str] = field(default_factory=dict)
    model_sd: Mapping[str, str] = field(default_factory=dict)
    reach: Mapping[str, str] = field(default_factory=dict)
    information: Mapping[str, str] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    least: float = LEAST

    @property
    def columns(self) -> list[str]:
        """All columns that are read."""
        read = (getattr(self, kind) for kind in _KINDS)
        return [
            *self.identifier.split(","),
            *(name for columns in read for name in columns.values()),
        ]

    def __or__(self, other: "PublishedLayout") -> "PublishedLayout":
        """With the columns of another that is about other questions."""
        both: dict[str, Any] = {
            kind: {**getattr(self, kind), **getattr(other, kind)} for kind in _KINDS
        }
        return replace(self, **both)

    @property
    def medians(self) -> bool:
        """Whether the ends of intervals are, as Zoobot's, medians of those of the samples."""
        return any(name.endswith(_INTERVAL[0]) for name in self.lower.values())

    @property
    def answers(self) -> set[str]:
        """The labels that something is read of."""
        return {*self.concentrations, *self.fractions, *self.untold}

    def missing_questions(self, tree: DecisionTree) -> tuple[str, ...]:
        """Questions of the tree for which the table has nothing usable."""
        known = self.answers
        return tuple(q.name for q in tree.questions if not known & set(q.labels))


def recognise_predictions(
    source: Path, columns: Sequence[str], tree: DecisionTree, *, identifier: str | None = None
) -> PublishedLayout:
    """The layout of a table of predictions with these columns.

    Columns of one campaign are read: of the tree's own, without campaign, or of the
    campaign with the same questions, whichever has most answers. Raises
    `TableRefused`, naming the nearest columns, if there is nothing of the tree, or if
    the fractions are those of votes.
    """
    layouts = [_layout(columns, tree, suffix) for suffix in suffixes(tree)]
    best = max(layouts, key=lambda found: (len(found.answers), len(found.concentrations)))
    if not best.answers:
        looked_for = [f"{tree.labels[0]}{ending}" for ending in ("_concentration", "_fraction")]
        near = dict.fromkeys(nearest(name, list(columns), 2) for name in looked_for)
        whole = f"; of {', '.join(best.incomplete)} some answers only" if best.incomplete else ""
        raise TableRefused(
            f"{source} predicts nothing of tree {tree.name}; looked for "
            f"{', '.join(looked_for)}, …; nearest columns: {', '.join(near)}{whole}"
        )
    voted = [name for name in columns if name.endswith("_total-votes")]
    predicted = any(name.endswith(_PREDICTED) for name in best.fractions.values())
    if voted and not best.concentrations and not predicted:
        raise TableRefused(
            f"{source} has a column {voted[0]}: its fractions are of votes, not predictions; "
            "read it with: zoolens ingest"
        )
    return replace(best, identifier=identifier_columns(source, columns, identifier))


def tell_tree(source: Path, columns: Sequence[str], tree: str | None) -> DecisionTree:
    """The tree that a table predicts: `tree` by name, or that of its columns.

    Raises as `tree_of`.
    """
    stems = dict.fromkeys(filter(None, map(_stem, columns)))
    return tree_of([*stems] or columns, source=str(source), tree=tree)


def _layout(columns: Sequence[str], tree: DecisionTree, suffix: str) -> PublishedLayout:
    """What is read if the names of questions end in `suffix`; the identifier is still empty."""
    known = set(columns)
    found = PublishedLayout("")
    incomplete = []
    for question in tree.questions:
        of_question, some_only = _of_question(known, question, suffix)
        found |= of_question
        incomplete += [question.name] if some_only else []
    bare = [name for name in found.untold.values() if not name.endswith("_pred")]
    if bare and len(bare) < len(found.answers):  # bare labels beside others are votes
        untold = {a: name for a, name in found.untold.items() if name not in bare}
        found = replace(found, untold=untold)
    stems = {k: v for question in tree.questions for k, v in _stems(question, suffix).items()}
    read = {stems[label] for label in found.answers}
    unread = (name for name in columns if (stem := _stem(name)) and stem not in read)
    return replace(found, incomplete=tuple(incomplete), unread=tuple(unread))


def _of_question(known: set[str], question: Question, suffix: str) -> tuple[PublishedLayout, bool]:
    """What is read of one question, and whether concentrations of some answers only are there."""
    stems = _stems(question, suffix)

    def with_ending(ending: str) -> dict[str, str]:
        return {label: stem + ending for label, stem in stems.items() if stem + ending in known}

    given = {ending: with_ending(ending) for ending in _CONCENTRATION_ENDINGS}
    whole = [ending for ending, columns in given.items() if len(columns) == len(stems)]
    concentrations = given[whole[0]] if whole else {}
    fractions: dict[str, str] = {}
    for ending in reversed((_PREDICTED,) if concentrations else _FRACTION_ENDINGS):
        fractions |= with_ending(ending)
    untold: Mapping[str, str] = {}
    if not concentrations and not fractions:
        either = (with_ending(ending) for ending in _UNTOLD_ENDINGS)
        untold = next((columns for columns in either if len(columns) == len(stems)), {})
    means = bool(fractions) or "_concentration_mean" in whole[:1]  # of samples that are not there
    layout = PublishedLayout(
        "",
        concentrations,
        fractions,
        untold,
        reach=_stated_reach(known, question, suffix) if means else {},
    )
    layout = replace(layout, **_stated_spread(known, question, suffix, fractions))
    return layout, any(given.values()) and not whole


def _stated_spread(
    known: set[str], question: Question, suffix: str, fractions: Mapping[str, str]
) -> dict[str, Any]:
    """The columns that state how far fractions are sure, by the name of their kind."""
    released = {a for a, name in fractions.items() if name.endswith(_PREDICTED)}
    stems = _stems(question, suffix)

    def ends(endings: Sequence[str], labels: Collection[str]) -> dict[str, list[str]]:
        named = {label: [stems[label] + ending for ending in endings] for label in labels}
        return {label: names for label, names in named.items() if known.issuperset(names)}

    intervals = ends(_INTERVAL, fractions) | ends(_INTERVAL_OF_RELEASE, released)
    information = question.name + suffix + _INFORMATION
    return {
        "lower": {label: lower for label, (lower, _) in intervals.items()},
        "upper": {label: upper for label, (_, upper) in intervals.items()},
        "sd": {label: name for label, (name,) in ends([_SD], released).items()},
        "model_sd": {label: name for label, (name,) in ends([_MODEL_SD], released).items()},
        "information": {question.name: information} if released and information in known else {},
    }


def _stated_reach(known: set[str], question: Question, suffix: str) -> dict[str, str]:
    """The column that states the reach of a question, by its name, if there is one."""
    of_answers = (stem + _REACH_OF_ANSWER for stem in _stems(question, suffix).values())
    names = [name for name in (question.name + suffix + _REACH, *of_answers) if name in known]
    return {question.name: names[0]} if names else {}


def _stems(question: Question, suffix: str) -> dict[str, str]:
    """How columns on each answer begin, by its label."""
    return {f"{question.name}_{a}": f"{question.name}{suffix}_{a}" for a in question.answers}


def _stem(column: str) -> str | None:
    """What a column of predictions is about, without its ending; None if it is none."""
    endings = (ending for ending in sorted(_ENDINGS, key=len, reverse=True))
    return next((column.removesuffix(e) for e in endings if column.endswith(e)), None)
