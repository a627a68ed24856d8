"""Many matches of one game at once, over arrays."""
