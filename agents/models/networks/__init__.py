"""Neural networks that continue texts: their architectures, and how they read texts exactly in any batch."""
