"""Games in words: contexts, prompt templates, labels and comprehension questions."""
