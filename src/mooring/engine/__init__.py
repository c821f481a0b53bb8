"""When, what next, in which order."""
