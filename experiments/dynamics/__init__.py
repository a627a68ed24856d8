"""Populations of strategies that evolve: deterministic and Moran dynamics, fixation, invasion, alpha-Rank."""
