"""The recipe of the two built-in models: behavioural model, corpus, tokenizer and pretraining."""
