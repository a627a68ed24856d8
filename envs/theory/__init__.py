"""Game theory of a stage game: joint outcomes, solution concepts and the type of dilemma."""
