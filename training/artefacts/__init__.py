"""What a training leaves for others: model cards, models with the adapter merged in, and GGUF files of them."""
