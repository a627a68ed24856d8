"""Tournaments: settings, run folders, workers, standings and reports."""
