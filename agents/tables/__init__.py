"""Policy tables: the action probabilities of an agent after every history."""
