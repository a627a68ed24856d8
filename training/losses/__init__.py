"""What a student learns from a demonstration: one module per method, which states its loss with formula and source."""
