"""The verbs of Zoolens: one batch job per module, each from the store to the store."""
