"""One server, asked many questions at once: attempts, waits, budget, and what it was learned to take."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from dilemmas.agents.models.servers.budget import Budget
from dilemmas.agents.models.servers.dialect import Dialect
from dilemmas.agents.models.servers.faults import ServerFault, read_body
from dilemmas.agents.models.servers.settings import ServerAddress, ServerSettings
from dilemmas.agents.models.servers.transport import Transport, unix_time

FIRST_WAIT, LONGEST_BACKOFF = 0.5, 30.0
"""Seconds before the second attempt, doubled for every further one, and their maximum; a server may ask for more."""

Payload = Callable[[], dict[str, Any]]
"""Makes the body of a request, with what has been learned so far."""
Item = TypeVar("Item")
Result = TypeVar("Result")


class ServerClient:
    """Asks one model of one server."""

    def __init__(self, address: ServerAddress, settings: ServerSettings, first_wait: float = FIRST_WAIT) -> None:
        """`first_wait`: seconds before the second attempt. Errors are those of `Transport`."""
        self.address, self.settings = address, settings
        self.transport = Transport(address, settings)
        self.budget = Budget(settings)
        self.dialect = Dialect("")
        self._first_wait = first_wait
        self._not_before = 0.0
        self._lost = 0
        self.stopped_by: ServerFault | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of a coroutine that asks the server."""
        return self.transport.run(work)

    async def get(self, url: str) -> Any:
        """The JSON at an address; `ServerFault` if there is none."""
        status, headers, body = await self.transport.send("GET", url)
        return read_body(status, headers, body, unix_time(), choices=False)

    async def ask(
        self, path: str, make: Payload, letters: int, longest: int, replies: Callable[[Any], Result]
    ) -> Result:
        """Send a request until it is answered.

        Parameters
        ----------
        path
            The endpoint, such as ``/chat/completions``.
        make
            Makes the body; called for every attempt.
        letters, longest
            Length of the prompt, and maximum number of tokens of the reply, for the budget.
        replies
            Reads the answer; a `ServerFault` that it raises counts like one of the server.

        Raises
        ------
        ServerFault
            If no attempt was answered; the cause is that of the last one.
        """
        attempt = 0
        while True:
            if self.stopped_by is not None:
                raise self.stopped_by
            await self._wait()
            payload = make()
            try:
                found = replies(await self._send(path, payload, letters, longest))
            except ServerFault as fault:
                attempt += 0 if self._learned(fault, payload) else await self._again(fault, attempt)
            else:
                self._lost = 0
                return found

    async def _send(self, path: str, payload: dict[str, Any], letters: int, longest: int) -> Any:
        with self.budget.request(letters, longest) as receipt:
            status, headers, body = await self.transport.send("POST", self.address.url + path, payload)
            data = read_body(status, headers, body, unix_time())
            receipt.reported = data["usage"] if isinstance(data.get("usage"), dict) else {}
            return data

    def _learned(self, fault: ServerFault, payload: dict[str, Any]) -> bool:
        if fault.passing or fault.final or fault.too_long:
            return False
        return self.dialect.learn(fault.complaint, payload)

    async def _again(self, fault: ServerFault, attempt: int) -> int:
        """Wait before the next attempt and count this one; raises the fault if there is none."""
        if fault.final:
            self.stopped_by = fault
        if not fault.passing or attempt >= self.settings.retries:
            self._give_up(fault)
            raise fault
        wait = min(self._first_wait * 2**attempt, LONGEST_BACKOFF) * random.uniform(0.5, 1.0)
        if fault.wait is not None:  # the server speaks for all requests
            wait = fault.wait + random.uniform(0.0, 0.1) * max(fault.wait, self._first_wait)
            self._not_before = max(self._not_before, asyncio.get_running_loop().time() + fault.wait)
        await asyncio.sleep(wait)
        return 1

    def _give_up(self, fault: ServerFault) -> None:
        """After several requests without an answer, and none with one between them, no further ones are sent."""
        self._lost += fault.passing
        if self._lost > 2 * self.settings.in_flight:
            self.stopped_by = ServerFault(f"the server answers no more: {fault.cause}", final=True)

    async def _wait(self) -> None:
        while (wait := self._not_before - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(wait)


async def map_in_flight(
    ask: Callable[[Item], Awaitable[Result]], items: Sequence[Item], in_flight: int
) -> list[Result]:
    """The results for all items, in order, with so many asked at the same time."""
    results: dict[int, Result] = {}
    waiting = iter(enumerate(items))

    async def work(numbered: Iterable[tuple[int, Item]]) -> None:
        for number, item in numbered:
            results[number] = await ask(item)

    await asyncio.gather(*(work(waiting) for _ in range(min(in_flight, len(items)))))
    return [results[number] for number in range(len(items))]
