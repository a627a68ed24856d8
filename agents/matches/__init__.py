"""Playing matches in environments, and their records."""
