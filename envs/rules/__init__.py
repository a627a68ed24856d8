"""How a match is played: rules as pure functions of state, joint action and random generator."""
