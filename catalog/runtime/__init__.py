"""How work runs: progress, threads, compiled loops, files that are complete or absent."""
