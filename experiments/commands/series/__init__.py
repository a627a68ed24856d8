"""The command that carries out other commands for several variants and seeds."""
