"""Explanations of a catalogue's galaxies: which ones, their maps, and how they are shown."""
