"""Posteriors of vote fractions, from images or from published tables."""
