"""The page to explore a catalogue with, in a browser."""
