"""Commands about single language models."""
