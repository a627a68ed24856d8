"""How much is asked of a model at once: what it answers in a time that a stop may lose.

Models on the processor of this machine are asked in portions of fixed size, small ones in large batches, so that a
resumed run has the same batches and the same bytes: beyond six digits, probabilities depend on the batch. Other models,
on a GPU or behind a server, are asked in portions that grow while they are answered quickly.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from dilemmas.agents.models.backend import Backend

SMALL = 100_000_000
"""Bytes of weights up to which a model is small: it answers a whole batch in seconds."""
PORTION = 8_000_000_000
"""Bytes of weights that a processor reads and computes with in about ten seconds of questions: 15 to SmolLM2-135M in
float32, one to a model of seven billion parameters."""
KEPT = 30.0
"""Seconds of work after which answers are kept."""
AIM = KEPT / 3
"""Seconds that a portion may take, by the speed of the one before: it is exceeded where later prompts are longer."""
PER_TEXT = 4
"""Questions in the time of a text, whose tokens come one after the other."""
SHORT = 64
"""Tokens of replies in the time of a question: many replies to few questions are written side by side."""
FASTER = 4
"""Largest factor from one portion to the next."""

Item = TypeVar("Item")


def is_small(backend: Backend) -> bool:
    """Whether a model is known to be small; the size of a model elsewhere is not known."""
    return 0 < backend.size < SMALL


def fixed_portion(size: int) -> int:
    """Number of questions that a model with weights of so many bytes is asked at a time on a processor; 0 for any."""
    return max(1, PORTION // size) if size >= SMALL else 0


class Pace:
    """Divides work into portions, of fixed size or sized by the time that the caller took for the one before."""

    def __init__(
        self, backend: Backend, clock: Callable[[], float] = time.monotonic, texts: bool = False, tokens: int = SHORT
    ) -> None:
        """`backend`: the model that is asked. `clock`: time in seconds. `texts`: whether it writes texts. `tokens`: of
        the longest reply, where several are written to each question."""
        self._whole, self._clock, self._size = is_small(backend), clock, 1
        self._fixed = backend.portion * max(1, SHORT // tokens)
        if texts and backend.portion:
            self._fixed = max(1, backend.portion // PER_TEXT)

    def portions(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Consecutive parts of the items; all of them as one for a small model, however long it takes."""
        done = 0
        while done < len(items):
            size = len(items) if self._whole else self._fixed or self._size
            part, begun = items[done : done + size], self._clock()
            yield part
            done += len(part)
            speed = len(part) / max(self._clock() - begun, 1e-9)
            self._size = max(1, int(min(FASTER * len(part), AIM * speed)))
