"""Makes the helper modules of these folders importable, which pytest's importlib mode does not."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path += map(str, (HERE, HERE / "pettingzoo_api", HERE / "theory"))
