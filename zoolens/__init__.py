"""Zoolens: a galaxy-morphology catalogue that can say why."""
