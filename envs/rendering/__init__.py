"""Rendering of a match as text and as a picture."""
