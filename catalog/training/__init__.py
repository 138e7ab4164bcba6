"""Training a decision-tree model on a catalogue's votes and images."""
