"""Report pages, charts, tables, number formats, intervals and progress bars for all experiments."""
