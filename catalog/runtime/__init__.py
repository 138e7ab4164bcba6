"""How work runs: progress, threads, compiled loops, files that are whole or absent."""
