"""`dilemmas tournament`: one module per command."""
