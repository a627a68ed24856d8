"""How much is asked of a model at once: what it answers in a time that a stop may lose.

Small models are asked in large batches of fixed size, so that a resumed run has the same batches and the same bytes.
Other models are asked in portions that grow while they are answered quickly; beyond six digits their probabilities
depend on the portions.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from math import inf
from pathlib import Path
from typing import Annotated, TypeVar

from annotated_types import Le

from dilemmas.agents.models.backend import Backend, CachingBackend, Request, Response
from dilemmas.envs.data_files import append_text, complete_lines, drop_incomplete_line, json_text, parse_json
from dilemmas.envs.validation import Share
from dilemmas.experiments.run_folder import RunError

SMALL = 100_000_000
"""Bytes of weights up to which a model is small: it answers a whole batch in seconds."""
KEPT = 30.0
"""Seconds of work after which answers are kept."""
AIM = KEPT / 3
"""Seconds that a portion may take, by the speed of the one before: it is exceeded where later prompts are longer."""
FASTER = 4
"""Largest factor from one portion to the next."""

Item = TypeVar("Item")


def is_small(backend: Backend) -> bool:
    """Whether a model is known to be small; the size of a model elsewhere is not known."""
    return 0 < backend.size < SMALL


class Pace:
    """Divides work into portions, each sized by the time that the caller took for the one before."""

    def __init__(self, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        """`backend`: the model that is asked. `clock`: time in seconds."""
        self._whole, self._clock, self._size = is_small(backend), clock, 1

    def portions(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Consecutive parts of the items; all of them as one for a small model, however long it takes."""
        done = 0
        while done < len(items):
            size = len(items) if self._whole else self._size
            part, begun = items[done : done + size], self._clock()
            yield part
            done += len(part)
            speed = len(part) / max(self._clock() - begun, 1e-9)
            self._size = max(1, int(min(FASTER * len(part), AIM * speed)))


@dataclass(frozen=True, slots=True)
class ScoredQuestion:
    """A question to a model, and the probabilities that it gave to the labels."""

    model: str
    """Fingerprint of the weights."""
    prompt: str
    """The question."""
    labels: tuple[str, ...]
    """The labels."""
    logprobs: tuple[Annotated[float, Le(1e-6)] | None, ...]
    """Log-probability, in nats, that the reply starts with each label; null for a label of probability 0."""
    whole: tuple[Annotated[float, Le(1e-6)] | None, ...]
    """The same of each label as a whole word; empty if it is not known."""
    prefill: str
    """Beginning of the reply."""
    thought: str
    """What the model has thought before the reply."""
    system: str
    """Text of the system turn."""
    margin: Share
    """How far the probability of a label may be from the model's own; 0 if it is exact."""

    def __post_init__(self) -> None:
        for name, values in (("logprobs", self.logprobs), ("whole", self.whole or self.logprobs)):
            if len(values) != len(self.labels):
                raise ValueError(f"{name}: needs {len(self.labels)} numbers, one for each of the labels")


class KeptBackend(CachingBackend):
    """A cache of label probabilities that are written to a file as they come; those in the file are not asked again."""

    def __init__(self, below: Backend, path: Path) -> None:
        """`RunError` for a damaged file; an incomplete last line is removed. Those of other weights are not used."""
        super().__init__(below)
        self.path = path
        self._pace = Pace(below)
        if path.is_file():
            drop_incomplete_line(path)
            for number, line in complete_lines(path):
                self._read(number, line)

    def _read(self, number: int, line: bytes) -> None:
        remedy = "delete the line: the model is then asked again"
        found = parse_json(line, ScoredQuestion, f"{self.path}, line {number}", RunError, remedy)
        if found.model == self.fingerprint:
            logprobs, whole = (
                tuple(-inf if value is None else value for value in some) for some in (found.logprobs, found.whole)
            )
            known = Response(logprobs, whole=whole, margin=found.margin)
            self._known[found.prompt, found.labels, found.prefill, found.thought, found.system] = known

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        """As of the backend; requests for text pass through."""
        for portion in self._pace.portions(list(self.unknown(requests).values())):
            self._write(portion, self._answer(portion))
        return super().respond(requests)

    def _write(self, requests: Sequence[Request], responses: Sequence[Response]) -> None:
        """Write the answers."""
        lines = []
        for request, response in zip(requests, responses, strict=True):
            if response.answered:
                logprobs, whole = (
                    tuple(None if value == -inf else value for value in some)
                    for some in (response.logprobs, response.whole)
                )
                begun = request.prefill, request.thought, request.system
                scored = ScoredQuestion(
                    self.fingerprint, request.prompt, request.labels, logprobs, whole, *begun, response.margin
                )
                lines.append(json_text(asdict(scored), allow_nan=False) + "\n")
        append_text(self.path, "".join(lines))
