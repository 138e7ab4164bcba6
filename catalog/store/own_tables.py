"""The tables of the user's own columns."""

from sqlalchemy import ARRAY, BigInteger, Double, String

from zoolens.catalog.store.declaring import key, table

# Columns of the user's own (`catalog.store.own_columns`), by each run that brought values of them.
own_column = table(
    "own_column",
    key("run_id"),
    key("name", String),
    key("type", String),  # in SQL
    key("place"),  # in the list of `own_row` that holds values of the type, from 1
    *(key(name, String) for name in ("unit", "ucd", "description")),
)
# All values of a galaxy: those that the run brought, and those it had of other columns.
own_row = table(
    "own_row",
    key("run_id"),
    key("galaxy_id", BigInteger),
    key("numbers", ARRAY(Double)),
    key("integers", ARRAY(BigInteger)),
    key("texts", ARRAY(String)),
)
# Rows of `own_row` that a later run replaced.
superseded_own = table("superseded_own", key("run_id"), key("galaxy_id", BigInteger))
