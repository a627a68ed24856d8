"""Strategies by name: finite-state, counting, and those for groups."""
