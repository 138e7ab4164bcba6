"""The columns of a release's table of galaxies, in Galaxy Zoo's own names.

Votes are `QUESTION_ANSWER`, `QUESTION_total-votes` and `QUESTION_ANSWER_fraction`, and
the model's `QUESTION_ANSWER_concentration` and `QUESTION_proportion_volunteers_asked`,
as Galaxy Zoo DECaLS published them (Walmsley et al. 2022); predicted fractions are
`QUESTION_ANSWER_pred_frac`, as in Su et al. 2023.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, UnknownName, nearest
from zoolens.catalog.formats.columns import LONGEST_NAME, column
from zoolens.catalog.store.dictionary import COLUMNS, Column

PRESETS = ("full", "friendly")

_ARROW = {
    "VARCHAR": pa.string(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}
_F64, _I32, _TEXT = pa.float64(), pa.int32(), pa.string()
_GALAXIES, _VOTES, _PREDICTIONS = (COLUMNS[v] for v in ("galaxies", "votes", "predictions"))
_LOSSES, _QUESTIONS, _MAPS = (COLUMNS[v] for v in ("losses", "question_losses", "saliency_stats"))
_PLACES = ("on_galaxy", "on_neighbours", "on_sky")  # of a map of the fraction
_ESTIMATES = COLUMNS["estimates"]
# of no view: it is computed as a release is cut
_VOTE_WEIGHT = Column(
    "vote_weight",
    "FLOAT",
    "",
    ucd="stat.weight",
    wide="suggested weight of a vote for {of} in training, 0..1: the probability that it is "
    "meant, given the model and the other votes on the question; missing where nobody said so, "
    "or no concentrations are known",
)


def described(said: Column) -> pa.Field:
    """A column of a public view as its dictionary describes it."""
    return column(said.name, _ARROW[said.type], said.description, unit=said.unit, ucd=said.ucd)


@dataclass(frozen=True)
class Kind:
    """A column that every answer, or every question, has.

    source: the name of its values, as read from the store; ending: what follows the label
    (or the question) in its name; said: what it means, in the public view that has it;
    friendly: whether the preset of few columns has it.
    """

    source: str
    ending: str
    said: Column
    friendly: bool = False

    def field(self, of: str, kind: pa.DataType | None = None) -> pa.Field:
        """The column of an answer or a question."""
        said = self.said
        kind = kind or _ARROW[said.type]
        return column(of + self.ending, kind, said.wide.format(of=of), unit=said.unit, ucd=said.ucd)


OF_QUESTION = (
    Kind("total", "_total-votes", _VOTES["total"], friendly=True),
    Kind("reach", "_proportion_volunteers_asked", _PREDICTIONS["reach"], friendly=True),
    Kind("nll", "_nll", _QUESTIONS["nll"]),
    Kind("mutual_information", "_mutual_information", _QUESTIONS["mutual_information"]),
)
OF_ANSWER = (
    Kind("count", "", _VOTES["count"]),
    Kind("fraction", "_fraction", _VOTES["fraction"], friendly=True),
    Kind("concentration", "_concentration", _PREDICTIONS["concentration"]),
    Kind("pred_frac", "_pred_frac", _PREDICTIONS["fraction"], friendly=True),
    Kind("sd", "_pred_frac_sd", _PREDICTIONS["fraction_sd"]),
    Kind("lo", "_pred_frac_lo", _PREDICTIONS["fraction_lo"]),
    Kind("hi", "_pred_frac_hi", _PREDICTIONS["fraction_hi"]),
    Kind("ce", "_ce", _LOSSES["ce"]),
    Kind("vote_weight", "_vote_weight", _VOTE_WEIGHT),
)
OF_ENSEMBLE = (Kind("model_sd", "_pred_frac_model_sd", _PREDICTIONS["fraction_model_sd"]),)
OF_MAP = (
    Kind("on_target", "_on_target", _MAPS["on_target"]),
    Kind("centroid_offset", "_centroid_offset", _MAPS["centroid_offset"]),
    Kind("entropy", "_map_entropy", _MAPS["entropy"]),
    Kind("increase", "_increase", _MAPS["increase"]),
    Kind("decrease", "_decrease", _MAPS["decrease"]),
    Kind("peak_x", "_peak_x", _MAPS["peak_x"]),
    Kind("peak_y", "_peak_y", _MAPS["peak_y"]),
    *(Kind(name, f"_pred_frac_{name}", _MAPS[name]) for name in _PLACES),
)
# Of each class of a classifier, or of a regressor's value.
OF_ESTIMATE = (
    Kind("estimate", "_estimate", _ESTIMATES["value"], friendly=True),
    Kind("estimate_sd", "_estimate_sd", _ESTIMATES["value_sd"]),
    Kind("estimate_lo", "_estimate_lo", _ESTIMATES["value_lo"]),
    Kind("estimate_hi", "_estimate_hi", _ESTIMATES["value_hi"]),
)
# The sources that there are not without votes, predictions of them, and losses.
_OF_VOTES = ("total", "count", "fraction", "vote_weight")
_OF_PREDICTIONS = (
    *("reach", "mutual_information", "concentration", "pred_frac", "sd", "lo", "hi"),
    "vote_weight",
)
_OF_LOSSES = ("nll", "ce")

_IDENTITY = (
    column("iauname", _TEXT, "name of the galaxy, J2000", ucd="meta.id;meta.main"),
    described(_GALAXIES["ra"]),
    described(_GALAXIES["dec"]),
)
_RANK = (
    column("rank", pa.int64(), "place by worst_weighted_ce, 1 for the largest", ucd="stat.rank"),
    column(
        "worst_answer",
        _TEXT,
        "answer with the largest weighted cross-entropy; empty where no answer has one",
        ucd="meta.id",
    ),
    column(
        "worst_weighted_ce",
        _F64,
        "weight times cross-entropy of that answer, natural logarithm",
        ucd="stat.fit.goodness",
    ),
)
_RANK_MORE = (
    column("worst_ce", _F64, "cross-entropy of worst_answer", ucd="stat.fit.goodness"),
    column(
        "observed_counterpart",
        _TEXT,
        "galaxy voted for in the same way, except that its votes on the question of "
        "worst_answer are as this one was predicted; empty but for the worst galaxies",
        ucd="meta.id.cross",
    ),
    column(
        "predicted_counterpart",
        _TEXT,
        "galaxy predicted in the same way, except that its prediction of the question of "
        "worst_answer is as this one was voted for; empty but for the worst galaxies",
        ucd="meta.id.cross",
    ),
)
_IMAGE = column(
    "image_sha256",
    _TEXT,
    "SHA-256 of the encoded image; empty where there is none",
    ucd="meta.checksum",
)
_SPLIT = column("split", _TEXT, "train, validation or test, by the newest training; or empty")


def release_columns(
    tree: DecisionTree,
    *,
    votes: bool = True,
    predictions: bool = True,
    whole_votes: bool = True,
    losses: bool = True,
    trained: bool = False,
    maps: bool = False,
    ensemble: bool = False,
    estimates: Sequence[str] = (),
    own: Sequence[Column] = (),
) -> pa.Schema:
    """All columns that a release can have, in order.

    votes, predictions: there are any; whole_votes: none is fractional, so that counts are
    integers; losses: there are any, and so ranks; trained: galaxies were used to train a model;
    maps: there are statistics of saliency maps; ensemble: several models predicted; estimates:
    what a classifier or regressor estimates, by name; own: the user's columns. Raises
    `CatalogError` for estimates whose names no columns can have.
    """
    there = ((votes, _OF_VOTES), (predictions, _OF_PREDICTIONS), (losses, _OF_LOSSES))
    absent = {source for any_, sources in there if not any_ for source in sources}
    of_question, of_answer = (
        [kind for kind in kinds if kind.source not in absent] for kinds in (OF_QUESTION, OF_ANSWER)
    )
    ranked = (*_RANK, *_RANK_MORE) if losses else ()
    fields = [*_IDENTITY, *ranked, _IMAGE, *([_SPLIT] if trained else []), *map(described, own)]
    fields += [kind.field(name) for name in estimates for kind in OF_ESTIMATE]
    for question in tree.questions:
        fields += [_counted(kind, question.name, whole_votes) for kind in of_question]
        for label in question.labels:
            fields += [_counted(kind, label, whole_votes) for kind in of_answer]
            fields += [kind.field(label) for kind in OF_ENSEMBLE if ensemble]
            fields += [kind.field(label) for kind in OF_MAP if maps]
    _check_estimates(estimates, [field.name for field in fields])
    return pa.schema(fields)


def _check_estimates(estimates: Sequence[str], columns: Sequence[str]) -> None:
    """Raises `CatalogError` for an estimate whose columns no table could have."""
    counts = Counter(name.lower() for name in columns)
    for name in estimates:
        column_names = [name + kind.ending for kind in OF_ESTIMATE]
        if len(column_names[-1]) > LONGEST_NAME or any(counts[c.lower()] > 1 for c in column_names):
            raise CatalogError(
                f"the estimate {name!r:.90} cannot name columns of a release: it is longer than "
                f"{LONGEST_NAME} characters with its ending, or another column differs by nothing "
                "but capitals; call it otherwise: zoolens predict --model MODEL --names A,B"
            )


def chosen_columns(
    columns: pa.Schema,
    tree: DecisionTree,
    preset: str,
    names: Sequence[str],
    estimates: Sequence[str] = (),
    own: Sequence[Column] = (),
) -> pa.Schema:
    """The columns of a preset, or the named ones and `iauname`, which identifies a row.

    estimates: as of `release_columns`; own: the user's columns, which every preset has.

    Raises `UnknownName` for a preset or a column that does not exist, `CatalogError` for a
    column named twice.
    """
    if preset not in PRESETS:
        raise UnknownName(f"no preset {preset!r}; choose one of {', '.join(PRESETS)}")
    if names:
        for name in names:
            if name not in columns.names:
                near = nearest(name, columns.names)
                raise UnknownName(f"no column {name!r} to release; nearest: {near}")
            if list(names).count(name) > 1:
                raise CatalogError(f"column {name!r} is named twice; name it once")
        return pa.schema([columns.field(n) for n in dict.fromkeys(["iauname", *names])])
    if preset == "full":
        return columns
    few = {field.name for field in (*_IDENTITY, *_RANK, *own)}
    few |= {q.name + kind.ending for q in tree.questions for kind in OF_QUESTION if kind.friendly}
    few |= {name + kind.ending for name in estimates for kind in OF_ESTIMATE if kind.friendly}
    few |= {label + kind.ending for label in tree.labels for kind in OF_ANSWER if kind.friendly}
    return pa.schema([field for field in columns if field.name in few])


def _counted(kind: Kind, of: str, whole: bool) -> pa.Field:
    counts = kind.source in ("count", "total")
    return kind.field(of, _I32 if counts and whole else None)
