"""The nouns of Zoolens: what a galaxy-morphology catalogue is made of."""
