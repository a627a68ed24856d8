"""The training loop in parts: what comes in a step, how it is divided among processes, and when training ends."""
