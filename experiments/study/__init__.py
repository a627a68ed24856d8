"""The study of Lorè, Ilami & Heydari 2024: stages, metrics and report."""
