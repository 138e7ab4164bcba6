"""TAP 1.1: what it is asked by, what it answers, and its jobs."""
