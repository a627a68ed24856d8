"""Lessons as a network reads them: what texts have in common once, in the way that is exact for its architecture."""
