"""Alembic's entry: runs the versions on the connection that the store opened."""

from alembic import context
from alembic.ddl.impl import DefaultImpl


class DuckDBImpl(DefaultImpl):
    """DuckDB's DDL is transactional and otherwise plain SQL."""

    __dialect__ = "duckdb"
    transactional_ddl = True


context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
