"""Lets the tests of this folder import the random networks of the tests of language models, and what they share."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "agents" / "models" / "networks"))
sys.path.append(str(Path(__file__).parent))
