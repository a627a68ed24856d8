"""Lets the tests of this folder import what they share (such as `damage`) and the tokenizers of the model tests."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "agents" / "models")]
