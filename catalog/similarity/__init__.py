"""Galaxies that are alike in their vote fractions: exact search, approximate search."""
