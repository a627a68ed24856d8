"""What game theory says of a stage game: outcomes, solutions and which dilemma it is."""
