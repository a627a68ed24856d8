"""The rules as PettingZoo environments, and their documentation pages."""
