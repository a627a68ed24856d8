"""Evolution of populations of strategies: deterministic and Moran dynamics, fixation, invasion, alpha-Rank."""
