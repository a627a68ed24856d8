"""Many matches of one game in parallel, stored in arrays."""
