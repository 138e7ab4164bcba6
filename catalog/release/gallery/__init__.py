"""A page to browse a release's worst losses, from disk."""
