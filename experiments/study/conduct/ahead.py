"""Questions that are listed before a model is asked, so that it is known how many are left."""

import math
from collections.abc import Callable, Generator
from typing import TypeVar

from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import Backend, FakeBackend, Request, Response, ScoreKey
from dilemmas.experiments.study.stages import PRESENTED, TOGETHER

Found = TypeVar("Found")


def listed_questions(ask: Callable[[Backend], object], backend: Backend) -> list[Request]:
    """The different questions about probabilities that `ask` would put to a model, which is not asked any of them."""
    found: dict[ScoreKey, Request] = {}

    def even(request: Request) -> Response:
        if not request.max_tokens:
            found.setdefault(request.key, request)
        return Response((-math.log(max(1, len(request.labels))),) * len(request.labels))

    ways = {name: getattr(backend, name) for name in ("name", "scores", "continues", "system_turn", "miniature")}
    ask(FakeBackend(even, **ways))
    return list(found.values())


def ask_in_parts(ask: Callable[[Backend], Found], backend: CachingBackend) -> Generator[tuple[int, int], None, Found]:
    """Carry out `ask`, which puts questions to a model, with one that remembers its answers; returns what it returns.

    Yields
    ------
    How many of the questions are answered, at first those of before, and how many there are: after each portion of a
    model that is asked in portions, or else after as many questions as `TOGETHER` scenarios have.
    """
    every = listed_questions(ask, backend)
    left = backend.unknown(every)
    done, size = len(every) - len(left), backend.portion or TOGETHER * PRESENTED
    yield done, len(every)
    for begin in range(0, len(left), size):
        portion = left[begin : begin + size]
        if any(one.failed for one in backend.learn(portion).values()):
            break  # `ask` says what is wrong
        done += len(portion)
        yield done, len(every)
    return ask(backend)
