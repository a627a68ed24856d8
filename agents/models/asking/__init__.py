"""How models are asked: every question once, and in portions of which a stop loses little."""
