"""Hand-written Alembic versions: frozen text, never imports from `catalog`."""
