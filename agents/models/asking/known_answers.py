"""The file in which label probabilities are kept as models give them: a question that it has is not asked again.

A line has everything that its probabilities depend on, so several models and several processes may share a file; what
another model answered, or the same one behind another engine, is never used.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isnan
from pathlib import Path
from typing import Annotated

from annotated_types import Le

from dilemmas.agents.models.backend import Backend, Response, ScoreKey
from dilemmas.envs.data_files import append_text, complete_lines, parse_json
from dilemmas.envs.errors import InputError
from dilemmas.envs.locks import locked_file
from dilemmas.envs.seals import checked_line, has_checksum
from dilemmas.envs.validation import Share

PATIENCE = 60.0
"""Seconds after which it is given up to wait for other processes that write the file."""
REMEDY = "delete the line: the model is then asked again"

Numbers = tuple[float, ...]


class KnownAnswersError(InputError):
    """A damaged file; the message names the line and the way out."""


@dataclass(frozen=True, slots=True)
class ScoredQuestion:
    """A question to a model, and the probabilities that it gave to the labels."""

    model: str
    """Fingerprint of the weights and the adapter, with the chat template."""
    engine: str
    """What computed the probabilities, with the data type if known."""
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
    margin: Share
    """How far the probability of a label may be from the model's own; 0 if it is exact."""
    sha256: str
    """First 16 hex digits of the SHA-256 of the line without this key."""

    def __post_init__(self) -> None:
        for name, values in (("logprobs", self.logprobs), ("whole", self.whole or self.logprobs)):
            if len(values) != len(self.labels):
                raise ValueError(f"{name}: needs {len(self.labels)} numbers, one for each of the labels")

    @property
    def key(self) -> ScoreKey:
        return self.prompt, self.labels, self.prefill, self.thought

    @property
    def response(self) -> Response:
        return Response(_with_zero(self.logprobs), whole=_with_zero(self.whole), margin=self.margin)


class KnownAnswers:
    """The answers of one model in a file, which other models and processes may write too."""

    def __init__(self, path: Path, model: Backend) -> None:
        """`path`: the file, which `add` creates. `model`: the one whose answers are read and written."""
        self.path = path
        self._model = {"model": model.fingerprint, "engine": model.engine}
        self._bytes = self._lines = 0

    def read(self) -> dict[ScoreKey, Response]:
        """What was written since the last call, by any process; `KnownAnswersError` for a damaged line.

        A last line that was cut short, or is still being written, is left out.
        """
        found = {}
        for _, line in complete_lines(self.path, self._bytes) if self.path.is_file() else ():
            self._bytes, self._lines = self._bytes + len(line), self._lines + 1
            one = self._parsed(line)
            if (one.model, one.engine) == tuple(self._model.values()):
                found[one.key] = one.response
        return found

    def _parsed(self, line: bytes) -> ScoredQuestion:
        place = f"{self.path}, line {self._lines}"
        found = parse_json(line, ScoredQuestion, place, KnownAnswersError, REMEDY)
        if not has_checksum(line.decode()):
            raise KnownAnswersError(f"{place}: was changed after it was written, as its checksum tells; {REMEDY}")
        return found

    def add(self, answers: Mapping[ScoreKey, Response]) -> dict[ScoreKey, Response]:
        """Write answers, and read what others wrote meanwhile: of two answers to a question the first one is kept.

        Refusals, faults and probabilities that are not numbers are not written.
        """
        new = {
            key: one for key, one in answers.items() if one.answered and not any(map(isnan, one.logprobs + one.whole))
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked_file(self.path, PATIENCE):
            found = self.read()
            if self.path.is_file() and self.path.stat().st_size > self._bytes:  # cut short: who writes has the lock
                os.truncate(self.path, self._bytes)
            text = "".join(self._line(key, one) for key, one in new.items() if key not in found)
            append_text(self.path, text)
            self._bytes, self._lines = self.path.stat().st_size, self._lines + text.count("\n")
        return new | found

    def _line(self, key: ScoreKey, answer: Response) -> str:
        asked = dict(zip(("prompt", "labels", "prefill", "thought"), key, strict=True))
        found = {
            "logprobs": _without_infinity(answer.logprobs),
            "whole": _without_infinity(answer.whole),
            "margin": answer.margin,
        }
        return checked_line(self._model | asked | found) + "\n"


def _with_zero(values: tuple[float | None, ...]) -> Numbers:
    return tuple(-inf if value is None else value for value in values)


def _without_infinity(values: Numbers) -> tuple[float | None, ...]:
    return tuple(None if value == -inf else value for value in values)
