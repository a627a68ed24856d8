"""Prompts: contexts, templates, labels of actions, scenarios, and comprehension questions."""
