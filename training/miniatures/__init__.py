"""How the two built-in models are made."""
