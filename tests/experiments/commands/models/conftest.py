"""Lets the tests of this folder import the stub of a model server."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "agents" / "models" / "servers"))
