"""Strategies of Axelrod-Python as agents, and agents as its players."""
