"""Images: where they are, decoding and checking them, and what a model sees of them."""
