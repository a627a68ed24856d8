"""HTTP requests from a loop of their own, so that a server can be asked from any thread, also where a loop runs."""

import asyncio
import json
import time
import warnings
import weakref
from collections.abc import Coroutine
from concurrent.futures import wait
from threading import Thread, current_thread
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from dilemmas.agents.models.backend import ModelError
from dilemmas.agents.models.servers.faults import ServerFault
from dilemmas.agents.models.servers.settings import ServerAddress, ServerSettings, read_key

if TYPE_CHECKING:
    from aiohttp import ClientSession

LARGEST = 256 * 2**20
"""Bytes of the largest answer that is read: the log-probabilities of a whole vocabulary are 5 to 30 MB."""
HIDDEN = "[key]"
SILENCE = 10.0
"""Seconds after which a server that has answered nothing yet is named."""
PATIENCE = 2.0
"""Seconds that are waited at most until connections are closed."""

Result = TypeVar("Result")


class Transport:
    """Sends requests to one server over connections that are kept open."""

    def __init__(self, address: ServerAddress, settings: ServerSettings) -> None:
        """`ModelError` if the package is missing, or if the key must not be sent to the server."""
        try:
            import aiohttp  # noqa: F401  (used below; it takes a tenth of a second)
        except ImportError:
            raise ModelError('models behind a server need aiohttp: pip install "dilemmas[api]"') from None
        self._address, self._settings, self._heard = address, settings, False
        self._key = read_key(address, settings)
        self._proxy = _proxy(address)
        self._loop = asyncio.new_event_loop()
        self._sessions: list[ClientSession] = []
        thread = Thread(target=_serve, args=(self._loop, self._sessions), daemon=True, name=str(address))
        thread.start()
        weakref.finalize(self, _stop, self._loop, thread)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of a coroutine. An interrupt of the waiting thread cancels it and is passed on at once."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            wait([future], SILENCE)
            if not (future.done() or self._heard):
                warnings.warn(
                    f"{self._address} has not answered yet; a request may take {self._settings.timeout:g} s (timeout),"
                    f" and is repeated up to {self._settings.retries} times (retries)",
                    stacklevel=2,
                )
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def reset(self) -> None:
        """Close all connections; the next request opens new ones."""
        self.run(_close(self._sessions))

    async def send(self, method: str, url: str, payload: dict[str, Any] | None = None) -> tuple[int, Any, bytes]:
        """Send one request; returns status, headers and body.

        Raises
        ------
        ServerFault
            If no complete answer comes in time.
        """
        import aiohttp

        body = None if payload is None else json.dumps(payload).encode()
        try:
            session = self._opened()
            async with session.request(method, url, data=body, proxy=self._proxy, allow_redirects=False) as answer:
                self._heard = True
                return answer.status, answer.headers, await self._read(answer)
        except TimeoutError:
            seconds = f"{self._settings.timeout:g} s"
            raise ServerFault(f"no answer within {seconds} (timeout)", passing=True, elsewhere=True) from None
        except aiohttp.ClientConnectorError as error:
            raise ServerFault(f"no connection: {error.strerror or error}", passing=True, elsewhere=True) from None
        except (aiohttp.ClientError, ValueError, OSError) as error:
            cause = self.hide(f"{type(error).__name__}: {error}")
            raise ServerFault(f"the connection failed: {cause}", passing=True, elsewhere=True) from None

    def hide(self, text: str) -> str:
        """The text without the key."""
        return text.replace(self._key, HIDDEN) if self._key else text

    async def _read(self, answer: Any) -> bytes:
        parts, size = [], 0
        async for part in answer.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                raise ServerFault(f"the answer is longer than {LARGEST} bytes")
        return b"".join(parts)

    def _opened(self) -> "ClientSession":
        import aiohttp

        if not self._sessions:
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            session = aiohttp.ClientSession(
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout),
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            self._sessions.append(session)
        return self._sessions[0]


def unix_time() -> float:
    """The time on this machine, to which dates of servers refer."""
    return time.time()


def _proxy(address: ServerAddress) -> str | None:
    """The proxy of the environment for a server; none for one on this machine."""
    parts = urlsplit(address.url)
    if address.is_loopback or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def _serve(loop: asyncio.AbstractEventLoop, sessions: "list[ClientSession]") -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(_close(sessions))
    loop.close()


async def _close(sessions: "list[ClientSession]") -> None:
    while sessions:
        await sessions.pop().close()


def _stop(loop: asyncio.AbstractEventLoop, thread: Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    if thread is not current_thread():
        thread.join(PATIENCE)
