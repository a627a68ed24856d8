"""Lets a bare checkout run its tests: where understudy is not installed, the name points at the root."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

if find_spec("understudy") is None:
    package = ModuleType("understudy")
    package.__path__ = [str(Path(__file__).parent.parent)]
    sys.modules["understudy"] = package
