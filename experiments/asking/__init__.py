"""Asking models about scenarios, without a student: what they answer, and whether it is about the game at all."""
