"""Report pages, charts, tables, number formats and intervals, for all experiments."""
