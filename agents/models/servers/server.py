"""A language model behind an OpenAI-compatible server.

model = open_model("openai:my-model@http://127.0.0.1:8000/v1")
print("\\n".join(model.capabilities.lines()))
model.respond([Request("Which do you choose, C or D?", labels=("C", "D"))])[0].logprobs
"""

import hashlib
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dilemmas.agents.models.backend import ModelError, Request, Response, ScoreKey, nested_labels
from dilemmas.agents.models.reading.thoughts import MORE_ROOM
from dilemmas.agents.models.servers.answers import Listing, prompt_tokens
from dilemmas.agents.models.servers.asking import Asker
from dilemmas.agents.models.servers.budget import Usage
from dilemmas.agents.models.servers.capabilities import Capabilities
from dilemmas.agents.models.servers.client import FIRST_WAIT, ServerClient, map_in_flight
from dilemmas.agents.models.servers.dialect import LADDER
from dilemmas.agents.models.servers.faults import ServerFault, UnfinishedThoughts
from dilemmas.agents.models.servers.identity import unusable
from dilemmas.agents.models.servers.labels import LabelWeights, force_labels, weigh_labels
from dilemmas.agents.models.servers.probing import probe, require_probabilities
from dilemmas.agents.models.servers.settings import ServerSettings, parse_address

EXACT = 1e-5
"""Margin below which a probability is called exact: the accuracy of those of models on this machine."""
TOGETHER = 8
"""Replies that are asked for in one request, where the server gives several."""

NOT_CONTINUED = Response(refused="the server does not continue a begun reply; use a template without answer.reply")


class ServerBackend:
    """A model of a server. Nothing is sent before the first request, or `loaded`."""

    def __init__(self, spec: str, settings: ServerSettings | None = None, first_wait: float = FIRST_WAIT) -> None:
        """
        Parameters
        ----------
        spec
            ``openai:MODEL@URL``.
        settings
            How it is asked.
        first_wait
            Seconds before a request is repeated after a fault, doubled each time.

        Raises
        ------
        ModelError
            If the specification, the settings or the key cannot be used.
        """
        self._spec, self._settings, self._first_wait = spec, settings or ServerSettings(), first_wait
        self._address = parse_address(spec)
        self._connected: _Connected | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The state without connections."""
        return {**self.__dict__, "_connected": None}

    @property
    def name(self) -> str:
        """The specification."""
        return str(self._address)

    @property
    def fingerprint(self) -> str:
        """Engine, model and digest of what the server tells about the model."""
        return self.capabilities.fingerprint

    @property
    def engine(self) -> str:
        return self.capabilities.engine

    @property
    def size(self) -> int:
        return 0

    @property
    def portion(self) -> int:
        return 0

    @property
    def miniature(self) -> bool:
        return False

    @property
    def continues(self) -> bool:
        """Whether it goes on with begun replies and gives log-probabilities; the server is asked at the first use."""
        return self._connect().asker.continues and self.scores

    @property
    def system_turn(self) -> bool:
        """Whether it takes a system turn; the server is asked at the first use."""
        return self.capabilities.system_turn

    @property
    def scores(self) -> bool:
        """Whether it gives log-probabilities; the server is asked at the first use."""
        return self.capabilities.listed > 0

    @property
    def capabilities(self) -> Capabilities:
        """What the server was found to be able to; it is asked at the first use."""
        return self._connect().capabilities

    @property
    def usage(self) -> Usage:
        """What was asked and answered so far."""
        return self._connect().client.budget.used

    def loaded(self) -> "ServerBackend":
        """This model, after the server was found to be usable; `ModelError` also if it gives no log-probabilities."""
        connected = self._connect()
        require_probabilities(connected.client, connected.capabilities)
        return self

    def question(self, asked: Request) -> Mapping[str, Any]:
        """What is sent of a request: ``messages``, or ``prompt`` where there is no chat endpoint."""
        return self._connect().asker.question(asked.prompt, asked.begun, asked.system)

    def count_tokens(self, asked: Request) -> int:
        """Tokens of what is sent of a request, as the server reports them; 0 if it does not.

        `ModelError` if it does not answer.
        """
        client, asker = self._connect().client, self._connect().asker
        try:
            return client.run(asker.ask(asked.prompt, 1, prompt_tokens, begun=asked.begun, system=asked.system))
        except UnfinishedThoughts:
            return 0
        except ServerFault as fault:
            raise unusable(client, fault) from None

    def check_requests(self, requests: Sequence[Request]) -> None:
        """`ModelError` if one label is a word with which another begins: no server tells how probable its end is.

        Of a number, such as 2 beside 20, the probabilities of the longer ones are subtracted. What else a server cannot
        answer is known from its refusal.
        """
        for one in requests:
            words = [label for label in one.labels if not label.isdecimal()]
            if pair := nested_labels(words):
                short, long = (words[index] for index in pair)
                raise ModelError(
                    f"model '{self.name}': label '{short}' is the beginning of label '{long}', so a server cannot tell"
                    " their probabilities apart; use other labels (--labels), or sampled answers (--server"
                    " scores=false)"
                )

    def unload(self) -> None:
        """Close the connections; what was learned about the server, and the usage, are kept."""
        if self._connected is not None:
            self._connected.client.transport.reset()

    def respond(self, requests: Sequence[Request]) -> list[Response]:
        """One response per request, in order.

        Questions about labels come first, as many at a time as the server answers without moving probabilities; each
        has a margin, which is 0 where the server's log-probabilities make the probabilities exact. A request that got
        no answer has a response that names the fault.

        Raises
        ------
        ModelError
            If the server cannot be used at all, or gives no log-probabilities and labels are asked about.
        """
        connected = self._connect()
        scored = {one.key: one for one in requests if one.labels}
        if scored:
            require_probabilities(connected.client, connected.capabilities)
        return connected.client.run(connected.respond(requests, scored))

    def _connect(self) -> "_Connected":
        if self._connected is None:
            client = ServerClient(self._address, self._settings, self._first_wait)
            logging.getLogger(__name__).warning("asking %s what it can do", self._address)
            asker, found = client.run(probe(client))
            if found.thinks:
                warnings.warn(
                    f"{self._address} thinks before it answers, so its replies are sampled and read, and are cut within"
                    f" its thoughts where they are short: {MORE_ROOM}",
                    stacklevel=3,
                )
            self._connected = _Connected(client, asker, found)
        return self._connected


@dataclass(slots=True)
class _Connected:
    """A server after it was probed."""

    client: ServerClient
    asker: Asker
    capabilities: Capabilities

    async def respond(self, requests: Sequence[Request], scored: Mapping[ScoreKey, Request]) -> list[Response]:
        weighed = await map_in_flight(self._weigh, list(scored.values()), self.capabilities.exact_in_flight)
        known = dict(zip(scored, weighed, strict=True))
        groups = _groups(requests, self.capabilities.replies > 1)
        found = await map_in_flight(lambda group: self._sample(requests, group), groups, self.capabilities.in_flight)
        texts = {number: one for some in found for number, one in some.items()}
        return [_joined(known.get(one.key), texts.get(number)) for number, one in enumerate(requests)]

    async def _weigh(self, asked: Request) -> Response:
        if asked.begun and not self.asker.continues:
            return NOT_CONTINUED
        try:
            weights = await self._weights(asked)
        except ServerFault as fault:
            return self._fault(fault, asked.prompt)
        margin = weights.margin()
        return Response(tuple(weights.middle()), margin=self.spread + (margin if margin > EXACT else 0.0))

    async def _weights(self, asked: Request) -> LabelWeights:
        """The probabilities of labels after a begun reply."""
        prompt, labels, begun, system = asked.prompt, asked.labels, asked.begun, asked.system
        most = self.client.dialect.most_listed

        async def ask(written: str, listed: int) -> Listing | None:
            if written and not self.asker.continues:
                return None
            return await self.asker.listing(prompt, begun + written, listed, system)

        weights = await weigh_labels(ask, labels, sorted({min(LADDER[1], most), most}), EXACT)
        if weights.margin() <= EXACT or not self.asker.force or begun:
            return weights
        return await force_labels(weights, labels, lambda text: self.asker.forced(prompt, text, system))

    @property
    def spread(self) -> float:
        return self.capabilities.spread or 0.0

    async def _sample(self, requests: Sequence[Request], group: Sequence[int]) -> dict[int, Response]:
        """The replies to equal requests, given by their numbers: in one request, and the missing ones one by one."""
        first = requests[group[0]]
        if first.begun and not self.asker.continues:
            return dict.fromkeys(group, NOT_CONTINUED)
        try:
            replies = await self.asker.replies(
                first.prompt,
                first.begun,
                first.max_tokens,
                first.temperature,
                seed_of(first.seed),
                len(group),
                first.system,
            )
        except ServerFault as fault:
            return dict.fromkeys(group, self._fault(fault, first.prompt))
        found = {
            number: self._fault(one.fault, first.prompt)
            if one.fault
            else Response(text=one.text, stopped=one.stopped, thoughts=one.thoughts)
            for number, one in zip(group, replies, strict=False)  # there may be more, or fewer
        }
        for number in group[len(replies) :]:
            found |= await self._sample(requests, [number])
        return found

    def _fault(self, fault: ServerFault, prompt: str) -> Response:
        cause = self.client.transport.hide(fault.cause)
        if fault.too_long:
            return Response(refused=f"prompt '{prompt[:40]}...': {cause}")
        return Response(failed=f"{self.client.address}: {cause}")


def seed_of(words: Sequence[int]) -> int:
    """A seed for servers, which take 31 bits, from the seed of a request."""
    return int.from_bytes(hashlib.sha256(repr(tuple(words)).encode()).digest()[:4], "big") >> 1


def _groups(requests: Sequence[Request], several: bool) -> list[list[int]]:
    """The numbers of the requests for text; with `several`, up to `TOGETHER` equal ones in a group."""
    found: dict[Any, list[list[int]]] = {}
    for number, one in enumerate(requests):
        if one.max_tokens:
            same = found.setdefault((one.prompt, one.system, one.begun, one.max_tokens, one.temperature), [[]])
            if same[-1] and not (several and len(same[-1]) < TOGETHER):
                same.append([])
            same[-1].append(number)
    return [group for same in found.values() for group in same]


def _joined(weighed: Response | None, text: Response | None) -> Response:
    """One response from that about labels and that with a text."""
    if weighed is None or text is None:
        return weighed or text or Response()
    bad = next((one for one in (weighed, text) if one.failed or one.refused), None)
    return bad or replace(text, logprobs=weighed.logprobs, margin=weighed.margin)
