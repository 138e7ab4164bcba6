"""What every column of the public views means, once.

The comments in the catalogue, docs/dictionary.md, and the descriptions of a release's columns
in every format are made from it.
"""

from typing import NamedTuple

from zoolens.catalog.store.shown import FEWEST_VOTES


class Column(NamedTuple):
    """A column: its name, its type in SQL, and what it holds.

    description: in words, with its range and what NULL means; unit: as in VOUnit, empty if
    it has none; ucd: IVOA's Unified Content Descriptor 1+, empty if none fits. wide: the
    description where a release has one such column per answer or question, named by {of}. xtype:
    what its values are beyond their type, as IVOA's DALI calls it, empty for nothing; arraysize: as
    VOTable has it, of a list whose length is known, else empty.
    """

    name: str
    type: str
    description: str
    unit: str = ""
    ucd: str = ""
    wide: str = ""
    xtype: str = ""
    arraysize: str = ""

    @property
    def comment(self) -> str:
        """The description with its unit."""
        return f"{self.description}, {self.unit}" if self.unit else self.description


# One line per column, however long: this is a table.
# fmt: off
_GALAXY_ID = Column("galaxy_id", "BIGINT", "number of the galaxy in this catalogue", ucd="meta.id")
_IAUNAME = Column("iauname", "VARCHAR", "name of the galaxy as in the vote table, J2000 for Galaxy Zoo DECaLS", ucd="meta.id;meta.main")
_QUESTION = Column("question", "VARCHAR", "question of the decision tree", ucd="meta.id")
_ANSWER = Column("answer", "VARCHAR", "answer to the question", ucd="meta.id")
_LABEL = Column("label", "VARCHAR", "question and answer, as one name", ucd="meta.id")
_RUN_ID = Column("run_id", "INTEGER", "run that made the row", ucd="meta.id")
_WEIGHTED_CE = Column("weighted_ce", "DOUBLE", "weight times ce, nat", ucd="stat.fit.goodness")
_ESTIMATED = Column("name", "VARCHAR", "the class, or `value`; as --names calls them", ucd="meta.id")
_TOTAL_VOTES = Column("total_votes", "DOUBLE", "volunteers who were asked the question", ucd="meta.number")

# Of the views over all pieces of a survey.
PIECE = Column("piece", "VARCHAR", "piece of the survey that has the row, whose run numbers are its own", ucd="meta.id")
_REACH = Column("reach", "FLOAT", "predicted probability that a volunteer is asked the question, 0..1: mean over dropout samples of the product of the fractions that lead there; where only mean fractions are known, their product", ucd="stat.probability", wide="predicted probability that a volunteer is asked {of}, 0..1")
_MUTUAL_INFORMATION = Column("mutual_information", "DOUBLE", "between the answer of one more volunteer who is asked and the model's weights, nat, 0 or more; NULL without concentrations", ucd="stat.value", wide="mutual information of one more vote on {of} and the model's weights, natural logarithm")
# Of every map, whatever it is of.
_MAP = (
    Column("height", "INTEGER", "rows of a map: the explained layer's own resolution", ucd="meta.number"),
    Column("width", "INTEGER", "columns of a map", ucd="meta.number"),
    Column("dtype", "VARCHAR", "NumPy type of the blobs, little-endian", ucd="meta.code"),
)
def _shares(part: str, of: str) -> tuple[Column, ...]:
    """Shares of a part of a map on the galaxy, its neighbours and sky."""
    on = {
        "galaxy": ("the central galaxy's segment", "; 0 without one"),
        "neighbours": ("all other sources in the image, stars and galaxies alike", "; 0 without any"),
        "sky": ("the rest of the image", f": with the two before it adds up to 1, or all three are 0 where there is no {of}"),
    }
    return tuple(
        Column(f"{part}on_{place}", "FLOAT", f"share of the {of} on {where}, 0..1{more}; NULL in rows of earlier versions", ucd="stat.value", wide=f"share of the {of} of the map of the expected fraction of {{of}} that lies on {where}, 0..1")
        for place, (where, more) in on.items()
    )


_MAP_SHARES = (
    *_shares("", "absolute saliency"),
    *_shares("increase_", "increase"),
    *_shares("decrease_", "decrease"),
)
_MAP_STATISTICS = (
    Column("on_target", "FLOAT", "share of the positive saliency on the central galaxy's segment, 0..1; NULL without positive saliency or segment", ucd="stat.value", wide="share of the positive part of the saliency map of the concentration of {of} that falls on the central galaxy, 0..1"),
    Column("centroid_offset", "FLOAT", "distance of the positive saliency's centroid from the image centre, in half widths of the image; NULL without positive saliency", ucd="pos.distance", wide="distance of the centroid of the positive part of the saliency map of the concentration of {of} from the centre of the image, in half widths of it"),
    Column("entropy", "FLOAT", "spread of the absolute saliency: 0 one pixel, 1 uniform", ucd="stat.value", wide="spread of the absolute values of the saliency map of the concentration of {of}: 0 one cell, 1 uniform"),
    Column("peak_x", "INTEGER", "column of the largest value in the map, from 0", ucd="stat.value", wide="column, from 0, of the largest value of the saliency map of the concentration of {of}"),
    Column("peak_y", "INTEGER", "row of the largest value in the map, from 0", ucd="stat.value", wide="row, from 0, of the largest value of the saliency map of the concentration of {of}"),
)
# Names of the columns that tell of one map, in their order.
MAP_STATISTICS = (
    *(column.name for column in _MAP_STATISTICS),
    *("increase", "decrease"),
    *(column.name for column in _MAP_SHARES),
)


def _columns(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


# By view, in the order of its columns.
COLUMNS: dict[str, dict[str, Column]] = {
    "galaxies": _columns(
        _GALAXY_ID, _IAUNAME,
        Column("ra", "DOUBLE", "right ascension, ICRS", unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", "DOUBLE", "declination, ICRS", unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("image", "VARCHAR", "file that holds the image; NULL where there is none", ucd="meta.ref;meta.file"),
        Column("image_member", "VARCHAR", "name in the tar or row in the Parquet file that holds the image", ucd="meta.id"),
        Column("image_format", "VARCHAR", "encoding of the image: PNG, JPEG or FITS", ucd="meta.code.mime"),
        Column("image_height", "INTEGER", "height of the image as stored", unit="pixel", ucd="phys.size"),
        Column("image_width", "INTEGER", "width of the image as stored", unit="pixel", ucd="phys.size"),
        Column("image_sha256", "VARCHAR", "SHA-256 of the encoded image", ucd="meta.checksum"),
        Column("split", "VARCHAR", "what the newest training used the galaxy for: train, validation or test; NULL where it did not use it", ucd="meta.code"),
    ),
    "answers": _columns(
        Column("answer_id", "INTEGER", "position of the answer among the columns of a model", ucd="meta.id"),
        _QUESTION, _ANSWER, _LABEL,
        Column("asked_after", "VARCHAR", "labels that lead to the question, comma-separated; empty: always asked"),
        Column("campaign", "VARCHAR", "campaign that the question's name ends in, where the tree has several side by side; else NULL", ucd="meta.code"),
        Column("shared_label", "VARCHAR", "the label without the campaign: what several campaigns ask alike", ucd="meta.id"),
    ),
    "votes": _columns(
        _GALAXY_ID, _IAUNAME, _QUESTION, _ANSWER, _LABEL,
        Column("count", "DOUBLE", "volunteers who gave the answer, also where it was not offered and so is 0; fractional where votes are weighted", ucd="meta.number", wide="volunteers who said {of}; 0 also where it was not among the answers offered"),
        Column("total", "DOUBLE", "volunteers who were asked the question, answers outside the tree included", ucd="meta.number", wide="volunteers asked {of}, with whatever answers"),
        Column("fraction", "DOUBLE", "count / total, 0..1; NULL where nobody was asked, or the question was asked with answers outside the tree, so that total is more than the sum of its counts", ucd="stat.probability", wide="observed vote fraction of {of}, 0..1; missing where nobody was asked, or the question was asked with other answers"),
    ),
    "predictions": _columns(
        _RUN_ID, _GALAXY_ID, _IAUNAME, _QUESTION, _ANSWER, _LABEL,
        Column("concentration", "FLOAT", "Dirichlet concentration, mean over dropout samples, 1..101 (Zoobot)", ucd="stat.param", wide="Dirichlet concentration of {of}"),
        Column("fraction", "DOUBLE", "expected vote fraction, 0..1", ucd="stat.probability", wide="predicted vote fraction of {of}, 0..1"),
        Column("fraction_sd", "FLOAT", "standard deviation, under the posterior, of the vote fraction of very many volunteers, 0..0.5; that of a few scatters more", ucd="stat.stdev", wide="standard deviation of the vote fraction of {of}"),
        Column("fraction_lo", "FLOAT", "lower end of the central 90 % interval of the vote fraction of very many volunteers, 0..1", ucd="stat.confidenceLevel", wide="lower end of the central 90 % interval of the vote fraction of {of}"),
        Column("fraction_hi", "FLOAT", "upper end of the central 90 % interval of the vote fraction of very many volunteers, 0..1", ucd="stat.confidenceLevel", wide="upper end of the central 90 % interval of the vote fraction of {of}"),
        _REACH,
        Column("fraction_model_sd", "FLOAT", "standard deviation, over the models of an ensemble, of the vote fraction that each expects, 0..0.5: the part of fraction_sd in which the models differ; NULL where one model predicted, or nobody knows how many", ucd="stat.stdev", wide="standard deviation, over the models of an ensemble, of the vote fraction of {of} that each expects"),
    ),
    "question_predictions": _columns(
        _RUN_ID, _GALAXY_ID, _IAUNAME, _QUESTION,
        _REACH,
        _MUTUAL_INFORMATION,
    ),
    "losses": _columns(
        _RUN_ID, _GALAXY_ID, _IAUNAME, _QUESTION, _ANSWER, _LABEL,
        Column("observed", "DOUBLE", "vote fraction, 0..1; NULL where nobody was asked, or the question was asked with answers outside the tree", ucd="stat.probability"),
        Column("predicted", "DOUBLE", "expected vote fraction, 0..1", ucd="stat.probability"),
        Column("ce", "DOUBLE", "cross-entropy of the two, nat, 0 or more, inf where a published fraction is 0 or 1 and not all votes are; NULL where either is", ucd="stat.fit.goodness", wide="cross-entropy of observed and predicted vote fraction of {of}, natural logarithm"),
        Column("weight", "DOUBLE", "factor given to the answer", ucd="stat.weight"),
        _WEIGHTED_CE,
        Column("reach_weighted_ce", "DOUBLE", "reach times ce, nat: the loss by how probably a volunteer is asked", ucd="stat.fit.goodness"),
        _TOTAL_VOTES,
    ),
    "worst": _columns(
        Column("rank", "BIGINT", f"1 for the largest weighted_ce, of however few votes, as zoolens worst --min-votes 0; without that option the command leaves out answers to questions asked of fewer than {FEWEST_VOTES} volunteers, and so ranks otherwise", ucd="stat.rank"),
        _GALAXY_ID, _IAUNAME,
        Column("label", "VARCHAR", "answer with the galaxy's largest weighted_ce", ucd="meta.id"),
        Column("ce", "DOUBLE", "cross-entropy of that answer, nat", ucd="stat.fit.goodness"),
        _WEIGHTED_CE,
        Column("observed", "DOUBLE", "vote fraction of that answer, 0..1", ucd="stat.probability"),
        Column("predicted", "DOUBLE", "expected vote fraction of that answer, 0..1", ucd="stat.probability"),
        _TOTAL_VOTES,
    ),
    "question_losses": _columns(
        _RUN_ID, _GALAXY_ID, _IAUNAME, _QUESTION, _TOTAL_VOTES,
        Column("nll", "DOUBLE", "Dirichlet-multinomial negative log likelihood of the counts, nat; 0 where nobody was asked, else NULL without concentrations or with answers outside the tree", ucd="stat.likelihood", wide="Dirichlet-multinomial negative log likelihood of the votes on {of}, natural logarithm; 0 where nobody was asked, missing where it was asked with other answers"),
        _MUTUAL_INFORMATION,
    ),
    "saliency": _columns(
        _RUN_ID, _GALAXY_ID, _IAUNAME, _QUESTION,
        Column("answers", "INTEGER", "number of maps in the blobs, one per answer in tree order", ucd="meta.number"),
        *_MAP,
        Column("mean", "BLOB", "maps averaged over dropout samples, (answers, height, width) row-major, in units of concentration; positive pixels increase it", ucd="stat.value"),
        Column("sd", "BLOB", "standard deviation over dropout samples, as mean", ucd="stat.stdev"),
    ),
    "saliency_stats": _columns(
        _RUN_ID, _GALAXY_ID, _IAUNAME, _QUESTION, _ANSWER, _LABEL,
        Column("of", "VARCHAR", "what the map is of: concentration, or (expected vote) fraction", ucd="meta.code"),
        *_MAP_STATISTICS,
        Column("increase", "DOUBLE", "sum of the positive part of the map, in units of what it is of", ucd="stat.value", wide="sum of the positive part of the saliency map of the concentration of {of}"),
        Column("decrease", "DOUBLE", "sum of the negative part of the map, 0 or less", ucd="stat.value", wide="sum of the negative part of the saliency map of the concentration of {of}"),
        *_MAP_SHARES,
        Column("predicted", "DOUBLE", "expected vote fraction that the map explains, 0..1; NULL of maps of concentrations", ucd="stat.probability"),
        Column("baseline", "DOUBLE", "expected vote fraction that the map counts from, 0..1, so that it adds up to predicted - baseline; NULL of maps that add up to no such difference", ucd="stat.probability"),
    ),
    # and those of the user's own (`catalog.store.own_columns`)
    "own": _columns(_GALAXY_ID, _IAUNAME),
    "estimates": _columns(
        _RUN_ID, _GALAXY_ID, _IAUNAME, _ESTIMATED,
        Column("value", "DOUBLE", "mean over dropout samples of the probability of the class, 0..1 (a galaxy's add up to 1), or of the value: 0..1 of a regressor with unit_interval, else any number, in the units of the column that it was trained on", ucd="stat.value", wide="estimate of {of} by a classifier, its probability, 0..1, or by a regressor, in the units of the labels that it was trained with: mean over dropout samples"),
        Column("value_sd", "DOUBLE", "standard deviation of value over dropout samples, in its units: how far the model's own sub-networks disagree, without the scatter of the labels; NULL with dropout off", ucd="stat.stdev", wide="standard deviation of the estimate of {of} over dropout samples, in its units, without the scatter of the labels"),
        Column("value_lo", "DOUBLE", "lower end of the central 90 % interval of the dropout samples, in the units of value; NULL with dropout off", ucd="stat.confidenceLevel", wide="lower end of the central 90 % interval of the dropout samples of the estimate of {of}, in its units"),
        Column("value_hi", "DOUBLE", "upper end of the central 90 % interval of the dropout samples; NULL with dropout off", ucd="stat.confidenceLevel", wide="upper end of the central 90 % interval of the dropout samples of the estimate of {of}, in its units"),
    ),
    "estimate_maps": _columns(
        _RUN_ID, _GALAXY_ID, _IAUNAME, _ESTIMATED,
        *_MAP,
        Column("mean", "BLOB", "map averaged over dropout samples, (height, width) row-major, in the units of the value; positive pixels increase it", ucd="stat.value"),
        Column("sd", "BLOB", "standard deviation over dropout samples, as mean", ucd="stat.stdev"),
        *_MAP_STATISTICS,
        Column("increase", "DOUBLE", "sum of the positive part of the map, in the units of the value", ucd="stat.value"),
        Column("decrease", "DOUBLE", "sum of the negative part of the map, 0 or less", ucd="stat.value"),
        *_MAP_SHARES,
    ),
    "evaluations": _columns(
        _RUN_ID,
        Column("topic", "VARCHAR", "calibration, error, accuracy, correlation, localisation, sanity, faithfulness, stability, warning or neighbours", ucd="meta.code"),
        Column("measure", "VARCHAR", "what was measured", ucd="meta.code"),
        Column("question", "VARCHAR", "question it is about; NULL for all", ucd="meta.id"),
        Column("label", "VARCHAR", "answer it is about; NULL for all", ucd="meta.id"),
        Column("method", "VARCHAR", "how the explanation or warning was made; NULL where it is about neither", ucd="meta.code"),
        Column("level", "DOUBLE", "nominal level, share of pixels or stage it was measured at; NULL for none", ucd="stat.param"),
        Column("value", "DOUBLE", "measured value", ucd="stat.value"),
        Column("lo", "DOUBLE", "lower end of its 95 % interval, by bootstrap over galaxies", ucd="stat.confidenceLevel"),
        Column("hi", "DOUBLE", "upper end of its 95 % interval", ucd="stat.confidenceLevel"),
        Column("chance", "DOUBLE", "value expected without any knowledge; NULL where there is no such value", ucd="stat.value"),
        Column("galaxies", "BIGINT", "galaxies that it rests on", ucd="meta.number"),
    ),
    "rejects": _columns(
        Column("run_id", "INTEGER", "run that refused or remarked on it", ucd="meta.id"),
        Column("source", "VARCHAR", "file it came from", ucd="meta.ref;meta.file"),
        Column("row", "BIGINT", "row in the file, the first data row being 1; NULL where it is no row", ucd="meta.record"),
        Column("key", "VARCHAR", "identifier, column or image it is about", ucd="meta.id"),
        Column("kind", "VARCHAR", "how the reason begins, for grouping: one of the kinds in docs/dictionary.md", ucd="meta.code"),
        Column("refused", "BOOLEAN", "whether it was left out; false where it was kept and is only remarked on", ucd="meta.code"),
        Column("reason", "VARCHAR", "what is wrong", ucd="meta.note"),
        Column("latest", "BOOLEAN", "whether nothing has read it again since: of a table or a folder of images no later ingest, of own columns no later keep of the same, of other jobs no later run of the job", ucd="meta.code"),
    ),
    "runs": _columns(
        Column("run_id", "INTEGER", "number of the run, in order of start", ucd="meta.id"),
        Column("job", "VARCHAR", "what was done, such as ingest, predict or score", ucd="meta.code"),
        Column("status", "VARCHAR", "complete; or running, which means interrupted when nothing is at work", ucd="meta.code.status"),
        Column("started_at", "TIMESTAMP", "start, UTC", ucd="time.start"),
        Column("finished_at", "TIMESTAMP", "end, UTC; NULL while not complete", ucd="time.end"),
        Column("config", "VARCHAR", "configuration and checksums of the inputs, JSON", ucd="meta.note"),
        Column("model_sha256", "VARCHAR", "SHA-256 of the model's file; of several models, that of their checksums, which config lists, a line each", ucd="meta.checksum"),
        Column("code_version", "VARCHAR", "version of Zoolens", ucd="meta.version"),
    ),
}
# fmt: on
