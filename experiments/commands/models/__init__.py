"""Commands about agents and language models."""
