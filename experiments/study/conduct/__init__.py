"""A study carried out, and estimated before it begins."""
