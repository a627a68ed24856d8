"""Commands that read finished studies."""
