"""The engines of tournaments: exact ones, compiled and vectorised ones, and environments."""
