"""Models that come with Zoolens; README.md says what they know."""
