"""Tables 1 and 2 of the paper, of any explanation: votes and fractions, as CSV and LaTeX.

Su et al. 2023, section 3.2 and appendix F. In CSV a row is a galaxy and columns are named as
published ones are (`QUESTION_total-votes`, `QUESTION_ANSWER`, `..._fraction`, `..._pred_frac`), so
that a table can be read with others. In print a galaxy is a column: answers are too many.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoolens.catalog.explain.portraits import Explanation, Portrait
from zoolens.catalog.explain.wording import is_weighted, votes
from zoolens.catalog.output.latex import floating, tabular
from zoolens.catalog.paths import explanation_table
from zoolens.catalog.runtime.files import replacing
from zoolens.catalog.store.facts import AnswerFacts

_ANSWER = ("question", "answer")


def save_tables(
    explanation: Explanation, questions: Sequence[str], folder: Path, stem: str
) -> dict[str, dict[str, Path]]:
    """Write both tables of the questions, each as CSV and LaTeX; the files by table and kind.

    Galaxies that nobody voted on have no table of votes. Raises `CatalogError` if a file cannot
    be written.
    """
    label = explanation.fact.label
    made = {"fractions": (fractions_table(explanation, questions), _print_fractions)}
    if any(portrait.voted for portrait in explanation.portraits):
        made = {"votes": (votes_table(explanation, questions), _print_votes)} | made
    files: dict[str, dict[str, Path]] = {}
    for name, ((columns, rows), print_) in made.items():
        paths = {kind: explanation_table(folder, stem, name, kind) for kind in ("csv", "tex")}
        with replacing(paths["csv"]) as part, part.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([columns, *rows])
        lines = floating(print_(explanation, questions), f"{_CAPTIONS[name]} {label}.")
        with replacing(paths["tex"]) as part:
            part.write_text("\n".join(lines) + "\n", encoding="utf-8")
        files[name] = paths
    return files


def votes_table(
    explanation: Explanation, questions: Sequence[str]
) -> tuple[list[str], list[list[Any]]]:
    """Table 1: how many volunteers were asked each question, and gave each answer, by galaxy."""
    columns = ["role", "iauname"]
    for question in questions:
        columns.append(f"{question}_total-votes")
        columns += [fact.label for fact in _asked(explanation.selected, question)]
    rows = []
    for portrait in explanation.portraits:
        values: list[float | None] = []
        for question in questions:
            facts = _asked(portrait, question)
            values += [facts[0].total, *(fact.count for fact in facts)]
        rows.append([portrait.role, portrait.iauname, *map(_whole, values)])
    return columns, rows


def fractions_table(
    explanation: Explanation, questions: Sequence[str]
) -> tuple[list[str], list[list[Any]]]:
    """Table 2: observed fractions, then predicted ones, with their 90 % intervals, by galaxy."""
    own = [fact for question in questions for fact in _asked(explanation.selected, question)]
    columns = ["role", "iauname", *(f"{fact.label}_fraction" for fact in own)]
    for suffix in ("", "_lo", "_hi"):
        columns += [f"{fact.label}_pred_frac{suffix}" for fact in own]
    rows = []
    for portrait in explanation.portraits:
        facts = [fact for question in questions for fact in _asked(portrait, question)]
        values = [
            getattr(fact, name) for name in ("observed", "predicted", "lo", "hi") for fact in facts
        ]
        rows.append([portrait.role, portrait.iauname, *values])
    return columns, rows


_CAPTIONS = {
    "votes": "Votes of the galaxies of the explanation of",
    "fractions": "Observed and predicted vote fractions, with central 90 % intervals, of the "
    "galaxies of the explanation of",
}


def _print_votes(explanation: Explanation, questions: Sequence[str]) -> Iterator[str]:
    shown = explanation.portraits
    weighted = any(is_weighted(fact.count) for portrait in shown for fact in portrait.facts)
    rows = []
    for question in questions:
        each = [_asked(portrait, question) for portrait in shown]
        asked = [votes(facts[0].total) for facts in each]
        rows.append([question, "asked, about" if weighted else "asked", *asked])
        for place, fact in enumerate(each[0]):
            rows.append(["", fact.answer, *(votes(facts[place].count) for facts in each)])
    head = [*_ANSWER, *(portrait.iauname for portrait in shown)]
    above = ["", "", *(portrait.role for portrait in shown)]
    yield from tabular("ll" + "r" * len(shown), head, rows, above)


def _print_fractions(explanation: Explanation, questions: Sequence[str]) -> Iterator[str]:
    shown = explanation.portraits
    rows = []
    for question in questions:
        each = [_asked(portrait, question) for portrait in shown]
        for place, fact in enumerate(each[0]):
            pairs = [_pair(facts[place]) for facts in each]
            named = "" if place else question
            rows.append([named, fact.answer, *(value for pair in pairs for value in pair)])
    head = [*_ANSWER, *(("observed", "predicted") * len(shown))]
    above = ["", ""]
    for portrait in shown:
        above += [f"{portrait.iauname} ({portrait.role})"] * 2
    yield from tabular("ll" + "rl" * len(shown), head, rows, above)


def _pair(fact: AnswerFacts) -> tuple[str, str]:
    """An observed fraction, and a predicted one with its interval, as printed."""
    predicted = "--" if fact.predicted is None else f"{fact.predicted:.2f}"
    if fact.lo is not None and fact.hi is not None:
        predicted += f" [{fact.lo:.2f}, {fact.hi:.2f}]"
    return "--" if fact.observed is None else f"{fact.observed:.2f}", predicted


def _asked(portrait: Portrait, question: str) -> list[AnswerFacts]:
    return [fact for fact in portrait.facts if fact.question == question]


def _whole(value: float | None) -> float | int | None:
    """A number of votes, whole ones without a point."""
    return int(value) if value is not None and float(value).is_integer() else value
