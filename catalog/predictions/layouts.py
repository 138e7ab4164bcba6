"""The published layouts of predictions: which columns hold which answer's.

- GZ DECaLS (Walmsley et al. 2022), `auto_posteriors`: `QUESTION_ANSWER_concentration`, a number
  or a list of posterior samples, else its mean, `_concentration_mean`.
- Euclid Q1: `QUESTION_ANSWER_dirichlet`, beside `_fraction`, which is NULL where the question
  hardly matters.
- GZ DESI (Walmsley et al. 2023) and Zoobot's summaries: `QUESTION_ANSWER_fraction`; advanced
  tables also have the ends of their central 90 % interval, `_90pc-lower` and `_90pc-upper`.
- Zoobot's `predict_on_catalog`: `QUESTION_ANSWER_pred`, or the bare label, a number or a list.
  What they are, the model says and the file does not: see `catalog.predictions.natures`.
- A release of Zoolens: concentrations, which are means of the samples, and `_pred_frac`: there the
  fractions come from the latter.

Reach is read where a table of fractions states it, by question (`_proportion_volunteers_asked`)
or by answer (`_proportion-asked`). The question may carry its campaign.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

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
_REACH, _REACH_OF_ANSWER = "_proportion_volunteers_asked", "_proportion-asked"
# Zoobot's concentrations lie in 1..101; those of other models may not, but outside these limits
# no Dirichlet distribution is meant.
LEAST, MOST = 1e-6, 1e6
# Columns with these endings are predictions, whatever tree they are of.
_ENDINGS = (*_CONCENTRATION_ENDINGS, "_pred", *_FRACTION_ENDINGS, *_INTERVAL)


@dataclass(frozen=True)
class PublishedLayout:
    """Which columns hold what, by label of the tree.

    concentrations: of complete questions only; fractions: of answers of the other
    questions, and those that a release states beside its concentrations; untold: of complete
    questions, concentrations or fractions; lower, upper: ends of the fractions' central 90 %
    interval. reach: by question, as a table states it. incomplete: questions with
    concentrations of some answers, not used. unread: columns that look like predictions, of
    nothing that is read. least: the smallest concentration that there may be.
    """

    identifier: str
    concentrations: Mapping[str, str] = field(default_factory=dict)
    fractions: Mapping[str, str] = field(default_factory=dict)
    untold: Mapping[str, str] = field(default_factory=dict)
    lower: Mapping[str, str] = field(default_factory=dict)
    upper: Mapping[str, str] = field(default_factory=dict)
    reach: Mapping[str, str] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    least: float = LEAST

    @property
    def columns(self) -> list[str]:
        """All columns that are read."""
        kinds = (self.concentrations, self.fractions, self.untold, self.lower, self.upper)
        read = (*kinds, self.reach)
        return [
            *self.identifier.split(","),
            *(name for columns in read for name in columns.values()),
        ]

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
        found = PublishedLayout(
            "",
            {**found.concentrations, **of_question.concentrations},
            {**found.fractions, **of_question.fractions},
            {**found.untold, **of_question.untold},
            {**found.lower, **of_question.lower},
            {**found.upper, **of_question.upper},
            {**found.reach, **of_question.reach},
        )
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
    lower, upper = (with_ending(ending) if fractions else {} for ending in _INTERVAL)
    both = [label for label in fractions if label in lower and label in upper]
    means = bool(fractions) or "_concentration_mean" in whole[:1]  # of samples that are not there
    layout = PublishedLayout(
        "",
        concentrations,
        fractions,
        untold,
        {label: lower[label] for label in both},
        {label: upper[label] for label in both},
        _stated_reach(known, question, suffix) if means else {},
    )
    return layout, any(given.values()) and not whole


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
