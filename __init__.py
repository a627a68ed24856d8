"""Social dilemmas for language-model agents. Imports nothing by itself; see `dilemmas.envs`, `.agents`, `.training`,
`.experiments`."""

__version__ = "0.1.0"
