"""The stage games: payoffs as literal data, and the catalogue that makes a game from its name."""
