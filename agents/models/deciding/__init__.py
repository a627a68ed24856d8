"""How a language model comes to its action: the questions of a turn, and the ways to decide."""
