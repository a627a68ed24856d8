"""Stated behavioural models of people: they depend on the social context as well as on the game."""
