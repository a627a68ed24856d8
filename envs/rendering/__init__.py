"""Pictures and text of a match."""
