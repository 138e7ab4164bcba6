"""How far votes and predictions disagree: losses, weights, rankings, distributions."""
