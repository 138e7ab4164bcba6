"""The verbs of Zoolens: one batch job a module, each from the store to the store."""
