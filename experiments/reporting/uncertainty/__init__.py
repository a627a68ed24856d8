"""Intervals of what a sample, or a set of scenarios, says of a quantity."""
