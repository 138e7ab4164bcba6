"""Side-by-side measurements against peers; raw results as JSON beside them."""
