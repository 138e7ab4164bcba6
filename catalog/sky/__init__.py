"""A simulated sky whose truth is known; it knows nothing of catalogues."""
