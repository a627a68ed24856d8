"""Agent-based models of tuned agents."""
