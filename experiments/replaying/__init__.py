"""Playing recorded matches again and comparing them step by step."""
