"""Experiments: commands of the program, carried out for several variants and seeds, and what differs between them."""
