"""Columns of the user's own, beside the votes: read from tables, to be kept in the catalogue."""
