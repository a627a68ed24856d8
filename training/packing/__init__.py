"""Lessons as a network reads them: what texts share once, as its architecture allows, with as little work as it can."""
