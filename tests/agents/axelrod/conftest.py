"""Axelrod-Python for the tests of this folder, which import the rest of what they share from `axelrod_matches`."""

import sys
from pathlib import Path
from typing import Any

import pytest

from dilemmas.agents.axelrod.names import axelrod_library

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def axl() -> Any:
    """Axelrod-Python, imported once: it takes 13 seconds."""
    pytest.importorskip("axelrod")
    return axelrod_library()
