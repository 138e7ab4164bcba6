"""Frozen copies of a catalogue for others."""
