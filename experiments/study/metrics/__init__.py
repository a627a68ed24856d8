"""The metrics of the study: one module per metric, and the registry that lists them."""
