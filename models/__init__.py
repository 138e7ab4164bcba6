"""Models that come with Zoolens: README.md lists them, a card each says what they know."""
