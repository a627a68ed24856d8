"""The histories of up to k rounds that a player can tell apart, and a number for each, also for whole arrays.

Numbers run over the nodes of a complete tree: 0 is the empty history, then come those of one round, of two, and so
on; among those of one length the oldest round varies slowest. With one round in a game of two players and two actions
that is: none, CC, CD, DC, DD, own action first.
"""

from itertools import combinations_with_replacement, product
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.envs.errors import InputError
from understudy.envs.rules import Joint, StageGame

History = tuple[Joint, ...]
"""Joint actions as one player sees them: own action first, then the others'; oldest round first."""
Indices = NDArray[np.intp]
"""Numbers of histories."""

MOST = 100_000
"""More histories than this are refused: a table of them is neither small nor soon asked."""


class MemoryError_(InputError):
    """A memory that cannot be used."""
