"""Campaigns against Zoolens: jobs that are killed, files that rot, inputs that are hostile."""
