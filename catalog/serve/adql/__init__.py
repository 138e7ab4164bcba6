"""ADQL, as DuckDB can answer it: parsed, checked against what is allowed, named, translated."""
