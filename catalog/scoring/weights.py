"""Weights of the answers: which disagreements matter most.

The paper gives 14 answers with balanced vote fractions the factor 5 and all others 1
(Su et al. 2023, appendix C and 4.2.2).
"""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from zoolens.catalog.decision_tree import DecisionTree, strip_campaign
from zoolens.catalog.errors import TableRefused, UnknownName
from zoolens.catalog.runtime.files import check_file, text_of

PAPER_FACTOR = 5.0
_MOST = 1e9  # largest weight; losses and scores times it stay far within float64
PAPER_LABELS = (
    "smooth-or-featured_smooth",
    "smooth-or-featured_featured-or-disk",
    "has-spiral-arms_yes",
    "has-spiral-arms_no",
    "bar_weak",
    "bar_no",
    "bulge-size_large",
    "bulge-size_moderate",
    "bulge-size_small",
    "how-rounded_round",
    "how-rounded_in-between",
    "spiral-winding_tight",
    "spiral-arm-count_2",
    "merging_none",
)
PRESETS = ("paper", "none")
_LONGEST = 2**20  # bytes of a file of weights
_SUFFIXES = {".csv": "CSV", ".yaml": "YAML", ".yml": "YAML"}


@dataclass(frozen=True)
class Weights:
    """Factors by label, 0 or more; labels that are not in it have the factor 1.

    `absent` holds labels of a preset that the tree does not have.
    """

    factors: dict[str, float]
    absent: tuple[str, ...] = ()

    def array(self, tree: DecisionTree) -> npt.NDArray[np.float64]:
        """One factor per answer, (A,)."""
        return np.array([self.factors.get(label, 1.0) for label in tree.labels])


def read_weights(source: str, tree: DecisionTree) -> Weights:
    """Weights of a preset, `paper` or `none`, or from a file.

    A YAML file maps labels to weights; a CSV file has columns `label` and `weight`.
    Labels may carry a campaign suffix. Raises `TableRefused`, naming file and
    line, if the file cannot be read, a label is unknown or repeated, or a weight is not a
    finite number of 0 or more.
    """
    if source == "none":
        return Weights({})
    if source == "paper":
        known = in_paper(tree)
        met = set(map(strip_campaign, known))
        absent = tuple(label for label in PAPER_LABELS if label not in met)
        return Weights(dict.fromkeys(known, PAPER_FACTOR), absent)
    path = Path(source)
    layout = _SUFFIXES.get(path.suffix.lower())
    if layout is None:
        raise TableRefused(
            f"weights {source!r} are neither a preset ({', '.join(PRESETS)}) "
            "nor a .yaml, .yml or .csv file"
        )
    check_file(path, "weights", TableRefused)
    try:
        text = text_of(path, _LONGEST)
    except OSError as error:
        raise TableRefused(f"weights {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise TableRefused(f"weights {path} are no UTF-8 text") from None
    pairs = _csv_pairs(text, path) if layout == "CSV" else _yaml_pairs(text, path)
    return Weights(_validated(pairs, path, tree))


def in_paper(tree: DecisionTree) -> list[str]:
    """The labels of a tree that the paper emphasises, whatever campaign they name."""
    return [label for label in tree.labels if strip_campaign(label) in PAPER_LABELS]


def _validated(
    pairs: Iterator[tuple[int, str, str]], path: Path, tree: DecisionTree
) -> dict[str, float]:
    factors: dict[str, float] = {}
    lines: dict[str, int] = {}
    for line, name, value in pairs:
        try:
            label = tree.labels[tree.answer_id(name)]
        except UnknownName as error:
            raise TableRefused(f"{path}, line {line}: {error}") from None
        if label in lines:
            raise TableRefused(
                f"{path}, line {line}: {label} already stands in line {lines[label]}"
            )
        lines[label] = line
        factors[label] = _factor(value, f"{path}, line {line}: weight of {label}")
    if not factors:
        raise TableRefused(f"{path} holds no weights; name at least one label and its weight")
    return factors


def _factor(value: str, what: str) -> float:
    try:
        factor = float(value)
    except ValueError:
        factor = math.nan
    if not 0 <= factor <= _MOST:
        raise TableRefused(f"{what} is {value!r}; give a number from 0 to {_MOST:.0e}")
    return factor


def _csv_pairs(text: str, path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, label and weight of each row."""
    rows = csv.DictReader(text.splitlines(keepends=True), strict=True)
    try:
        columns = rows.fieldnames or []
        if "label" not in columns or "weight" not in columns:
            raise TableRefused(
                f"{path} needs the columns label and weight; it has {', '.join(columns) or 'none'}"
            )
        for row in rows:
            if None in row or None in row.values():
                raise TableRefused(f"{path}, line {rows.line_num}: not {len(columns)} values")
            yield rows.line_num, row["label"].strip(), row["weight"].strip()
    except csv.Error as error:
        raise TableRefused(f"{path}, line {rows.line_num}: {error}") from None


def _yaml_pairs(text: str, path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, label and weight of each entry.

    The document is parsed to nodes only: these know their lines and show duplicate keys, and
    no object that a tag names is built.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise TableRefused(f"{path} is no YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise TableRefused(f"{path} is no YAML of labels and weights: nested too deep") from None
    if not isinstance(root, yaml.MappingNode):
        raise TableRefused(f"{path} must map labels to weights, as in  how-rounded_round: 5")
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise TableRefused(f"{path}, line {line}: not one label and its weight")
        yield line, key.value, value.value
