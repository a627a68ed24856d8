"""Stepping through episodes in the terminal."""
