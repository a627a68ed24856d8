"""Rules of matches: pure functions of the state, the joint action and the random generator."""
