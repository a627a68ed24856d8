"""The bridge to the strategies of Axelrod-Python."""
