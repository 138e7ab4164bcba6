"""The columns of a release's table of galaxies, in Galaxy Zoo's own names.

Votes are `QUESTION_ANSWER`, `QUESTION_total-votes` and `QUESTION_ANSWER_fraction`, and
the model's `QUESTION_ANSWER_concentration` and `QUESTION_proportion_volunteers_asked`,
as Galaxy Zoo DECaLS published them (Walmsley et al. 2022); predicted fractions are
`QUESTION_ANSWER_pred_frac`, as in Su et al. 2023.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from zoolens.catalog.decision_tree import DecisionTree
from zoolens.catalog.errors import CatalogError, UnknownName, nearest
from zoolens.catalog.formats.columns import column

PRESETS = ("full", "friendly")

_F32, _F64, _I32, _TEXT = pa.float32(), pa.float64(), pa.int32(), pa.string()
_NUMBER, _PROBABILITY, _SPREAD = "meta.number", "stat.probability", "stat.stdev"


@dataclass(frozen=True)
class Kind:
    """A column that every answer, or every question, has.

    ending: what follows the label (or the question) in its name; description: with {of} for
    the label or question; source: the name of its values, as read from the store; friendly:
    whether the preset of few columns has it.
    """

    source: str
    ending: str
    type: pa.DataType
    description: str
    ucd: str = ""
    unit: str = ""
    friendly: bool = False

    def field(self, of: str, kind: pa.DataType | None = None) -> pa.Field:
        """The column of an answer or a question."""
        words = self.description.format(of=of)
        return column(of + self.ending, kind or self.type, words, unit=self.unit, ucd=self.ucd)


_MAP = "of the saliency map of {of}"
OF_QUESTION = (
    Kind("total", "_total-votes", _F64, "volunteers asked {of}", _NUMBER, friendly=True),
    Kind(
        "reach",
        "_proportion_volunteers_asked",
        _F32,
        "predicted probability that a volunteer is asked {of}, 0..1",
        _PROBABILITY,
        friendly=True,
    ),
    Kind(
        "nll",
        "_nll",
        _F64,
        "Dirichlet-multinomial negative log likelihood of the votes on {of}, natural "
        "logarithm; 0 where nobody was asked",
        "stat.likelihood",
    ),
    Kind(
        "mutual_information",
        "_mutual_information",
        _F64,
        "mutual information of the votes on {of} and the model's weights, natural logarithm",
        "stat.value",
    ),
)
OF_ANSWER = (
    Kind("count", "", _F64, "volunteers who said {of}", _NUMBER),
    Kind(
        "fraction",
        "_fraction",
        _F64,
        "observed vote fraction of {of}, 0..1; missing where nobody was asked",
        _PROBABILITY,
        friendly=True,
    ),
    Kind("concentration", "_concentration", _F32, "Dirichlet concentration of {of}", "stat.param"),
    Kind(
        "pred_frac",
        "_pred_frac",
        _F64,
        "predicted vote fraction of {of}, 0..1",
        _PROBABILITY,
        friendly=True,
    ),
    Kind("sd", "_pred_frac_sd", _F32, "standard deviation of the vote fraction of {of}", _SPREAD),
    Kind(
        "lo",
        "_pred_frac_lo",
        _F32,
        "lower end of the central 90 % interval of the vote fraction of {of}",
        "stat.confidenceLevel",
    ),
    Kind(
        "hi",
        "_pred_frac_hi",
        _F32,
        "upper end of the central 90 % interval of the vote fraction of {of}",
        "stat.confidenceLevel",
    ),
    Kind(
        "ce",
        "_ce",
        _F64,
        "cross-entropy of observed and predicted vote fraction of {of}, natural logarithm",
        "stat.fit.goodness",
    ),
    Kind(
        "vote_weight",
        "_vote_weight",
        _F32,
        "suggested weight of a vote for {of} in training, 0..1: the probability that it is "
        "meant; missing where nobody said so",
        "stat.weight",
    ),
)
OF_MAP = (
    Kind(
        "on_target",
        "_on_target",
        _F32,
        f"share of the positive part {_MAP} that falls on the central galaxy, 0..1",
        "stat.value",
    ),
    Kind(
        "centroid_offset",
        "_centroid_offset",
        _F32,
        f"distance of the centroid of the positive part {_MAP} from the centre of the image, "
        "in half widths of it",
        "pos.distance",
    ),
    Kind(
        "entropy",
        "_map_entropy",
        _F32,
        f"spread of the absolute values {_MAP}: 0 one cell, 1 uniform",
        "stat.value",
    ),
    Kind("increase", "_increase", _F64, f"sum of the positive part {_MAP}", "stat.value"),
    Kind("decrease", "_decrease", _F64, f"sum of the negative part {_MAP}", "stat.value"),
    Kind("peak_x", "_peak_x", _I32, f"column, from 0, of the largest value {_MAP}", "stat.value"),
    Kind("peak_y", "_peak_y", _I32, f"row, from 0, of the largest value {_MAP}", "stat.value"),
)

_IDENTITY = (
    column("iauname", _TEXT, "name of the galaxy, J2000", ucd="meta.id;meta.main"),
    column("ra", _F64, "right ascension, ICRS", unit="deg", ucd="pos.eq.ra;meta.main"),
    column("dec", _F64, "declination, ICRS", unit="deg", ucd="pos.eq.dec;meta.main"),
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
_MORE = (
    column("worst_ce", _F64, "cross-entropy of worst_answer", ucd="stat.fit.goodness"),
    column(
        "observed_counterpart",
        _TEXT,
        "galaxy voted for in the same way, except that its votes for worst_answer are as this "
        "one was predicted; empty but for the worst galaxies",
        ucd="meta.id.cross",
    ),
    column(
        "predicted_counterpart",
        _TEXT,
        "galaxy predicted in the same way, except that its prediction of worst_answer is as "
        "this one was voted for; empty but for the worst galaxies",
        ucd="meta.id.cross",
    ),
    column(
        "image_sha256",
        _TEXT,
        "SHA-256 of the encoded image; empty where there is none",
        ucd="meta.checksum",
    ),
)
_SPLIT = column("split", _TEXT, "train, validation or test, by the newest training; or empty")


def release_columns(
    tree: DecisionTree, *, whole_votes: bool = True, trained: bool = False, maps: bool = False
) -> pa.Schema:
    """All columns that a release can have, in order.

    whole_votes: no vote is fractional, so that counts are integers; trained: galaxies were
    used to train a model; maps: there are statistics of saliency maps.
    """
    fields = [*_IDENTITY, *_RANK, *_MORE, *([_SPLIT] if trained else [])]
    for question in tree.questions:
        fields += [_counted(kind, question.name, whole_votes) for kind in OF_QUESTION]
        for label in question.labels:
            fields += [_counted(kind, label, whole_votes) for kind in OF_ANSWER]
            fields += [kind.field(label) for kind in OF_MAP if maps]
    return pa.schema(fields)


def chosen_columns(
    columns: pa.Schema, tree: DecisionTree, preset: str, names: Sequence[str]
) -> pa.Schema:
    """The columns of a preset, or the named ones and `iauname`, which identifies a row.

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
    few = {field.name for field in (*_IDENTITY, *_RANK)}
    few |= {q.name + kind.ending for q in tree.questions for kind in OF_QUESTION if kind.friendly}
    few |= {label + kind.ending for label in tree.labels for kind in OF_ANSWER if kind.friendly}
    return pa.schema([field for field in columns if field.name in few])


def _counted(kind: Kind, of: str, whole: bool) -> pa.Field:
    counts = kind.source in ("count", "total")
    return kind.field(of, _I32 if counts and whole else None)
