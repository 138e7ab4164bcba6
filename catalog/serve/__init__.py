"""A catalogue for the tools that astronomers have: TAP 1.1, by HTTP."""
