"""The published layouts of predictions: which columns hold which answer's.

`QUESTION_ANSWER_concentration`, one number or a list of posterior samples (GZ DECaLS,
Walmsley et al. 2022), or plain fractions, `QUESTION_ANSWER_fraction` or `_pred_frac`,
perhaps of a few answers only. The question may carry its campaign. A release of Zoolens has
both concentrations, which are means of the samples, and `_pred_frac`: there the fractions
come from the latter, and reach from `_proportion_volunteers_asked`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import TableRefused, nearest
from zoolens.catalog.formats.identifiers import identifier_columns
from zoolens.catalog.trees.published import suffixes

_PREDICTED = "_pred_frac"
_REACH = "_proportion_volunteers_asked"
_FRACTION_ENDINGS = (_PREDICTED, "_fraction")  # the second may be a fraction of votes


@dataclass(frozen=True)
class PublishedLayout:
    """Which columns hold what, by label of the tree.

    concentrations: of complete questions only; fractions: of answers of the other
    questions, and those that a release states beside its concentrations. reach: by question,
    as a release states it. incomplete: questions with concentrations of some answers, not used.
    """

    identifier: str
    concentrations: Mapping[str, str]
    fractions: Mapping[str, str]
    reach: Mapping[str, str]
    incomplete: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """All columns that are read."""
        read = (self.concentrations, self.fractions, self.reach)
        return [
            *self.identifier.split(","),
            *(name for columns in read for name in columns.values()),
        ]

    def missing_questions(self, tree: DecisionTree) -> tuple[str, ...]:
        """Questions of the tree for which the table has nothing usable."""
        known = {*self.concentrations, *self.fractions}
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
    best = max(layouts, key=lambda found: (len(found.concentrations), len(found.fractions)))
    if not best.concentrations and not best.fractions:
        looked_for = [f"{tree.labels[0]}_concentration", f"{tree.labels[0]}_fraction"]
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


def _layout(columns: Sequence[str], tree: DecisionTree, suffix: str) -> PublishedLayout:
    known = set(columns)
    concentrations: dict[str, str] = {}
    fractions: dict[str, str] = {}
    incomplete = []
    for question in tree.questions:
        stems = {
            f"{question.name}_{answer}": f"{question.name}{suffix}_{answer}"
            for answer in question.answers
        }
        found = {label: f"{stem}_concentration" for label, stem in stems.items()}
        present = known & set(found.values())
        whole = len(present) == len(found)
        if whole:
            concentrations |= found
        elif present:
            incomplete.append(question.name)
        looked_for = (_PREDICTED,) if whole else _FRACTION_ENDINGS
        for label, stem in stems.items():
            endings = [end for end in looked_for if f"{stem}{end}" in known]
            if endings:
                fractions[label] = f"{stem}{endings[0]}"
    reach = {}
    if any(name.endswith(_PREDICTED) for name in fractions.values()):  # a release of Zoolens
        asked = {q.name: f"{q.name}{suffix}{_REACH}" for q in tree.questions}
        reach = {question: name for question, name in asked.items() if name in known}
    return PublishedLayout("", concentrations, fractions, reach, tuple(incomplete))
