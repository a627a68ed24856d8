"""Language models: backends, exact label probabilities, sampled replies, and the model as a player."""
