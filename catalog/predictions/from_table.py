"""Reading and validating published predictions: posteriors from the rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from zoolens.catalog.arrays import Flags, Floats, Floats32, Places
from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.formats.reading import numbers
from zoolens.catalog.formats.sample_lists import Samples, read_samples
from zoolens.catalog.predictions.layouts import MOST, PublishedLayout
from zoolens.catalog.predictions.posterior import (
    Summary,
    expected_reach,
    question_totals,
    summarise,
)
from zoolens.catalog.votes.checks import FRACTION_TOLERANCE, Rows

MOST_SAMPLES = 1000
MOST_NATS = 10  # of one vote: the log of more answers than a question has


@dataclass(frozen=True)
class PublishedPosteriors:
    """Predictions for the N rows of a block; values of refused rows mean nothing.

    summary: of all rows, with the published fractions if there are any; its reach is the mean
    over samples where a row has several, else as stated, else the product of the mean
    fractions. samples: by
    number of samples T, which rows (n,) have them and their concentrations (n, T, A)
    float32, NaN in missing questions.
    """

    summary: Summary
    samples: list[tuple[Places, Floats32]]


def read_posteriors(rows: Rows, layout: PublishedLayout, tree: DecisionTree) -> PublishedPosteriors:
    """Read and validate the predictions of a block of rows.

    A row is refused if a concentration is not a number or list of numbers, or outside
    1e-6..1e6; if only some answers of a question have concentrations, or its lists have
    different lengths; if a fraction is not a number or outside 0..1; and if it predicts
    nothing at all. If all fractions of a question are given and do not add up to 1 within
    0.001, they are reported and kept.
    """
    columns = {
        label: read_samples(rows.table[name]) for label, name in layout.concentrations.items()
    }
    lengths = _check_samples(rows, layout, columns, tree)
    fractions = _read_fractions(rows, layout.fractions, tree.labels)
    questions = [question.name for question in tree.questions]
    stated = _read_fractions(rows, layout.reach, questions)
    lower, upper, sd, model_sd = (
        _read_fractions(rows, columns, tree.labels)
        for columns in (layout.lower, layout.upper, layout.sd, layout.model_sd)
    )
    information = _read_values(rows, layout.information, questions, "information", MOST_NATS)
    rows.refuse(
        (lengths == 0) & np.isnan(fractions).all(axis=1),
        lambda i: "no predictions: all the columns of the tree are empty",
    )
    _note_sums(rows, fractions, tree)
    unknown = np.full_like(fractions, np.nan)
    summary = Summary(
        unknown.copy(), fractions.copy(), sd, lower, upper, unknown, information, model_sd
    )
    samples = []
    for length in np.unique(lengths[rows.good & (lengths > 0)]).tolist():
        which = np.flatnonzero(rows.good & (lengths == length))
        alpha = np.full((len(which), length, len(tree.labels)), np.nan, dtype=np.float32)
        for label, column in columns.items():
            alpha[..., tree.answer_id(label)] = column.matrix(which, length)
        _fill(summary, which, summarise(alpha, tree))
        samples.append((which, alpha))
    reach = _reach(summary.fraction, stated, samples, tree)
    return PublishedPosteriors(replace(summary, reach=reach), samples)


def _reach(
    fraction: Floats,
    stated: Floats,
    samples: Sequence[tuple[Places, Floats32]],
    tree: DecisionTree,
) -> Floats:
    """Predicted probability that a volunteer is asked each answer's question: (N, A).

    `expected_reach` of the rows with several samples; of the others what the table states (N, Q);
    else only means are known, and the product of those along the path is all there is.
    fraction: (N, A), which also stands in for questions without concentrations.
    """
    reach = np.where(np.isnan(stated), tree.reach(fraction), stated)[:, tree.question_of]
    for which, alpha in samples:
        if alpha.shape[1] > 1:
            own = alpha.astype(np.float64)
            own /= question_totals(own, tree)
            own = np.where(np.isnan(own), fraction[which, None], own)
            reach[which] = expected_reach(own, tree)
    return reach


def _check_samples(
    rows: Rows, layout: PublishedLayout, columns: Mapping[str, Samples], tree: DecisionTree
) -> npt.NDArray[np.int64]:
    """Refuse rows with bad concentrations; how many samples each row has, (N,)."""
    longest = np.zeros(len(rows.numbers), dtype=np.int64)
    out_of_range = f"concentration outside {layout.least:g}..{MOST:g}"
    for label, column in columns.items():
        name = layout.concentrations[label]
        outside = column.any_value(lambda values: ~((values >= layout.least) & (values <= MOST)))
        _refuse_cells(rows, column.bad, "unreadable concentration", name)
        _refuse_cells(rows, outside, out_of_range, name)
        longest = np.maximum(longest, column.lengths)
    for question in tree.questions:
        if question.labels[0] in columns:
            lengths = np.stack([columns[label].lengths for label in question.labels], axis=1)
            _check_lengths(rows, question.name, lengths, longest)
    rows.refuse(
        longest > MOST_SAMPLES,
        lambda i: f"too many samples: {longest[i]}; expected up to {MOST_SAMPLES}",
    )
    return longest


def _check_lengths(
    rows: Rows, question: str, lengths: npt.NDArray[np.int64], longest: npt.NDArray[np.int64]
) -> None:
    """Refuse rows with only some answers (N, K) of a question, or uneven samples."""
    given = lengths.any(axis=1)
    rows.refuse(
        given & (lengths == 0).any(axis=1),
        lambda i: f"missing concentration: some answers to {question} are empty",
    )
    rows.refuse(
        given & (lengths != longest[:, None]).any(axis=1),
        lambda i: f"uneven samples: {longest[i]} of some answers, not of all to {question}",
    )


def _read_fractions(rows: Rows, columns: Mapping[str, str], names: Sequence[str]) -> Floats:
    """Published fractions of what the names say, (N, names), NaN where there is none."""
    return _read_values(rows, columns, names, "fraction", 1)


def _read_values(
    rows: Rows, columns: Mapping[str, str], names: Sequence[str], kind: str, most: float
) -> Floats:
    """Published values in 0..most of what the names say, (N, names), NaN where there is none."""
    found = np.full((len(rows.numbers), len(names)), np.nan)
    for what, column in columns.items():
        values, bad = numbers(rows.table[column])
        _refuse_cells(rows, bad, f"unreadable {kind}", column)
        _refuse_cells(rows, (values < 0) | (values > most), f"{kind} outside 0..{most:g}", column)
        found[:, names.index(what)] = values
    return found


def _refuse_cells(rows: Rows, which: Flags, kind: str, column: str) -> None:
    rows.refuse(which, lambda i: f"{kind}: {column} is {rows.text(column, i)}")


def _note_sums(rows: Rows, fractions: Floats, tree: DecisionTree) -> None:
    for question, where in zip(tree.questions, tree.slices, strict=True):
        _note_sum(rows, question.name, fractions[:, where].sum(axis=1))


def _note_sum(rows: Rows, question: str, sums: Floats) -> None:
    rows.note(
        np.abs(sums - 1) > FRACTION_TOLERANCE,
        lambda i: (
            f"contradictory fractions: those of {question} add up to {sums[i]:.4g}; kept as given"
        ),
    )


def _fill(summary: Summary, which: npt.NDArray[np.int64], found: Summary) -> None:
    """Fill the rows `which` of `summary` with `found` where it has no value.

    What is stated was computed from the samples, and is better than that of the means.
    """
    for name in ("concentration", "fraction", "sd", "lo", "hi", "information"):
        target, values = getattr(summary, name), getattr(found, name)
        target[which] = np.where(np.isnan(target[which]), values, target[which])
