"""The tables of what classifiers and regressors predict, and of why."""

from sqlalchemy import BigInteger, Column, Double, String

from zoolens.catalog.store.declaring import key, maps, statistics, table

# What a classifier or regressor predicts: a row for each class, or one.
estimate = table(
    "estimate",
    key("run_id"),
    key("galaxy_id", BigInteger),
    key("name", String),
    key("value", Double),
    Column("value_sd", Double),
    Column("value_lo", Double),
    Column("value_hi", Double),
)
# Maps of what it predicts, and their statistics, as `saliency_map` and `saliency_stat` have them.
estimate_map = table(
    "estimate_map",
    key("run_id"),
    key("galaxy_id", BigInteger),
    key("name", String),
    *maps(),
    *statistics(),
)
