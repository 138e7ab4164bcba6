"""Zoobot's networks: reading checkpoints, running encoders, sampling concentrations."""
