"""Finding out what a server can do for one model, with a few short questions, before a run costs anything."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dilemmas.agents.models.backend import ModelError
from dilemmas.agents.models.servers.answers import (
    Listing,
    ServedReply,
    count_replies,
    first_listings,
    prompt_tokens,
)
from dilemmas.agents.models.servers.asking import FORCES, PREFILLS, Asker
from dilemmas.agents.models.servers.capabilities import Capabilities
from dilemmas.agents.models.servers.client import ServerClient, map_in_flight
from dilemmas.agents.models.servers.dialect import LADDER
from dilemmas.agents.models.servers.faults import ServerFault, UnfinishedThoughts
from dilemmas.agents.models.servers.identity import ServedIdentity, identify, short_name, unusable

QUESTIONS = (
    "Say any word that comes to your mind.",
    "Two players choose red or blue at the same time. What do you choose, red or blue?",
    "Count from one to ten in words.",
)
LONG_QUESTIONS = tuple(" ".join(QUESTIONS[number % 3] for number in range(length)) for length in (5, 6, 7, 8, 9))
"""Questions as long as those of games, whose probabilities are compared: engines round short ones alike."""
LISTS_MANY = ("llama.cpp", "SGLang", "vLLM")
"""Engines that may list more tokens than OpenAI's 20; others are not asked for more."""
SHARES_BATCHES = {"llama.cpp": 0.05}
"""Engines known to round probabilities by what else is in their batch, and by how much at most (40 prompts of games,
SmolLM2, 8 in flight): they are asked for them one at a time, or else not called exact whatever is measured."""
SAMPLES = 6
"""Replies from which it is read whether the model samples."""
SHORT, LONG = 4, 512
"""Maximum length of these replies, in tokens: of an answer, and of one after thoughts."""
UNLIKELY = 1e-3
"""Probability below which equal replies mean that the model does not sample."""
ALIKE = 0.05
"""Largest difference of the same probability in a begun reply and in a whole one: engines round."""
IMPROBABLE = math.log(0.3)
"""Log-probability below which a token is forced: under a constraint that hides all others, it would become 0."""
SAME_LOGPROB = 0.2
"""Largest difference between the log-probabilities of a token that is listed and of the same one when forced."""
EQUAL = 1e-6
"""Largest difference of probabilities that count as equal."""


@dataclass(frozen=True, slots=True)
class _First:
    """What the first answer shows."""

    model: str
    """Name of the model in the answer."""
    tokens: int
    """Tokens of the prompt; 0 if it does not report them."""
    listings: tuple[Listing, ...]


@dataclass(frozen=True, slots=True)
class _Sampled:
    """What sampled replies show: fields of `Capabilities`."""

    thinks: bool
    samples: bool | None = None
    repeats_seeds: bool | None = None


async def probe(client: ServerClient) -> tuple[Asker, Capabilities]:
    """Find out what the server can do for the model.

    Returns
    -------
    How the model is asked from now on, and what was found.

    Raises
    ------
    ModelError
        If the server or the model cannot be used.
    """
    try:
        return await _probe(client)
    except ServerFault as fault:
        raise unusable(client, fault) from None


async def _probe(client: ServerClient) -> tuple[Asker, Capabilities]:
    """The same; `ServerFault` if a question after the first one is not answered."""
    found = await identify(client)
    client.dialect.engine = found.engine
    asker = Asker(client, found.model)
    first = await _first_answer(asker)
    listed = await _count_listed(asker, first, found.engine)
    alone = client.settings.exact_in_flight or (1 if found.engine in SHARES_BATCHES else client.settings.in_flight)
    asker.letters_per_token = await _letters_per_token(asker, first)
    asker.system_turn = asker.chat and await _takes_system(asker, first)
    sampled, prefill, force, spread = await _sampling(asker, listed > 0), None, None, None
    if sampled.thinks:
        listed = client.dialect.most_listed = 0
    else:
        asker.least_tokens = 0
    if listed:
        prefill, force, spread = await _prefill(asker), await _force(asker), await _spread(asker, alone)
    replies = await _several(asker)
    asker.prefill, asker.force, asker.least_tokens = prefill or "", force or "", 0
    return asker, Capabilities(
        engine=found.title,
        model=_told_name(found, first),
        digest=found.digest,
        endpoint="chat" if asker.chat else "completions",
        listed=listed,
        in_flight=client.settings.in_flight,
        exact_in_flight=alone,
        spread=spread,
        thinks=sampled.thinks,
        prefill=prefill if asker.chat else "the text goes on",
        system_turn=asker.system_turn,
        forced=force,
        replies=replies,
        repeats_seeds=sampled.repeats_seeds,
        samples=sampled.samples,
        length_field=client.dialect.length_field,
        refused=tuple(sorted(client.dialect.refused)),
        cache_off=found.engine == "llama.cpp" and "cache_prompt" not in client.dialect.refused,
        letters_per_token=asker.letters_per_token,
    )


def _told_name(found: ServedIdentity, first: _First) -> str:
    """The name in the list, and that in the answer where it says more, such as a date."""
    listed, told = short_name(found.model), short_name(first.model)
    return told if told.startswith(listed) else listed


async def _first_answer(asker: Asker) -> _First:
    """Ask the first question at the chat endpoint, or else as plain text; `ModelError` if neither answers."""
    wanted, client, faults = asker.client.settings.endpoint, asker.client, []
    for endpoint in ("chat", "completions") if wanted == "auto" else (wanted,):
        asker.chat = endpoint == "chat"
        try:
            return await _first_question(asker)
        except ServerFault as fault:
            faults.append(fault)
            if fault.passing or fault.status not in (400, 404, 405, 422, 501):
                break
            client.stopped_by = None
    raise unusable(client, faults[0])


async def _first_question(asker: Asker) -> _First:
    """Ask it; if no short reply is given, every reply has room for thoughts from now on."""
    listed = LADDER[3] if asker.client.settings.scores else 0
    try:
        return await asker.ask(QUESTIONS[1], 2, _read_first, listed=listed)
    except UnfinishedThoughts:
        asker.least_tokens = LONG
        return await asker.ask(QUESTIONS[1], 2, _read_first, listed=listed)


def _read_first(data: Mapping[str, Any]) -> _First:
    return _First(str(data.get("model", "")), prompt_tokens(data), first_listings(data))


async def _letters_per_token(asker: Asker, first: _First) -> float:
    """Letters per token of plain English, from a short question and a long one; 0 if it does not report tokens."""
    more = await asker.ask(LONG_QUESTIONS[-1], 1, prompt_tokens) - first.tokens
    return (len(LONG_QUESTIONS[-1]) - len(QUESTIONS[1])) / more if first.tokens and more > 0 else 0.0


async def _count_listed(asker: Asker, first: _First, engine: str) -> int:
    """The largest number of tokens that are listed."""
    dialect = asker.client.dialect
    if not (first.listings and asker.client.settings.scores):
        dialect.most_listed = 0
        return 0
    dialect.most_listed = min(dialect.most_listed, max(len(one.tokens) for one in first.listings))
    if engine in LISTS_MANY and dialect.most_listed == LADDER[3]:
        dialect.most_listed = LADDER[1]
        try:
            many = await asker.listing(QUESTIONS[1], "", LADDER[1])
        except ServerFault:
            dialect.most_listed = LADDER[3]
        else:
            got, asked = len(many.tokens), dialect.most_listed
            dialect.most_listed = LADDER[0] if got >= asked == LADDER[1] or many.rest < EQUAL else got
    return dialect.most_listed


async def _takes_system(asker: Asker, first: _First) -> bool:
    """Whether the chat endpoint takes a system turn, and counts its tokens if it counts any."""
    asker.system_turn = True
    try:
        tokens = await asker.ask(QUESTIONS[1], 1, prompt_tokens, system=LONG_QUESTIONS[-1])
    except ServerFault:
        return False
    return not first.tokens or tokens > first.tokens


async def _several(asker: Asker) -> int:
    """How many replies one request gives, of two asked for."""
    try:
        return min(2, await asker.ask(QUESTIONS[0], 1, count_replies, temperature=1.0, seed=1, count=2))
    except ServerFault:
        return 1


async def _sampling(asker: Asker, lists: bool) -> _Sampled:
    """Whether the model thinks first, whether replies at temperature 1 differ as they should, and whether all of them
    come again with their seeds. Replies that are cut within thoughts are asked for again, with room for these."""

    async def replies() -> list[ServedReply]:
        found = [(await asker.replies(QUESTIONS[0], "", SHORT, 1.0, seed))[0] for seed in range(SAMPLES)]
        if lost := next((one.fault for one in found if one.fault and not _cut(one)), None):
            raise lost
        return found

    found = await replies()
    thinks = asker.least_tokens > 0 or 2 * sum(_cut(one) or bool(one.thoughts) for one in found) > SAMPLES
    if any(map(_cut, found)):
        asker.least_tokens = LONG
        found = await replies()
    if any(map(_cut, found)):  # thoughts that are longer still
        return _Sampled(thinks)
    if len(set(found)) > 1:
        return _Sampled(thinks, True, found == await replies())
    if thinks or not lists:
        return _Sampled(thinks, None if thinks else False)
    listing = await asker.listing(QUESTIONS[0], "", LADDER[3])
    return _Sampled(thinks, False if math.exp(listing.chosen[1] * (SAMPLES - 1)) < UNLIKELY else None)


def _cut(one: ServedReply) -> bool:
    return isinstance(one.fault, UnfinishedThoughts)


async def _prefill(asker: Asker) -> str | None:
    """How the chat endpoint continues a begun reply, proved by its probabilities; empty if it does not, and None if no
    question could show it."""
    if not asker.chat:
        return None
    tested = False
    for question in QUESTIONS:
        whole = await asker.ask(question, 2, first_listings, listed=LADDER[3])
        begun = whole[0].chosen[0] if len(whole) == 2 else ""
        if not begun.strip():
            continue
        tested = True
        for name in PREFILLS:
            asker.prefill = name
            try:
                found = await asker.listing(question, begun, LADDER[3])
            except ServerFault:
                continue
            if _distance(found, whole[1]) <= ALIKE:
                return name
    return "" if tested else None


async def _force(asker: Asker) -> str | None:
    """How a text is forced; empty unless an improbable one is written with its log-probability of the list, and None if
    the lists have no improbable one."""
    for question in QUESTIONS:
        listing = await asker.listing(question, "", LADDER[3])
        words = [(token, value) for token, value in listing.tokens if token.isascii() and token.isalpha()]
        improbable = [(token, value) for token, value in words if token != listing.chosen[0] and value < IMPROBABLE]
        if improbable:
            break
    else:
        return None
    token, value = improbable[-1]
    for name in FORCES:
        asker.force = name
        try:
            found = await asker.forced(question, token)
        except ServerFault:
            continue
        if found is not None and abs(math.fsum(one for _, one in found) - value) <= SAME_LOGPROB:
            return name
    return ""


async def _spread(asker: Asker, in_flight: int) -> float:
    """Largest difference between probabilities when questions are asked alone, again, and among others."""

    async def listing(question: str) -> Listing:
        return await asker.listing(question, "", LADDER[3])

    first = LONG_QUESTIONS[0]
    alone = {question: await listing(question) for question in (LONG_QUESTIONS if in_flight > 1 else [first])}
    again = [first, *(LONG_QUESTIONS[number % len(LONG_QUESTIONS)] for number in range(2 * in_flight) if in_flight > 1)]
    found = await map_in_flight(listing, again, in_flight)
    spread = max(_distance(alone[question], answer) for question, answer in zip(again, found, strict=True))
    known = SHARES_BATCHES.get(asker.client.dialect.engine, 0.0) if in_flight > 1 else 0.0
    return max(spread, known) if spread > EQUAL else known


def _distance(one: Listing, other: Listing) -> float:
    """Largest difference between the probabilities of tokens that are in both lists; 1 if there is none."""
    known = dict(one.tokens)
    shared = [abs(math.exp(known[token]) - math.exp(value)) for token, value in other.tokens if token in known]
    return max(shared, default=1.0)


def require_probabilities(client: ServerClient, found: Capabilities) -> None:
    """`ModelError` for a server that gives no log-probabilities, or those of thoughts."""
    if not found.listed:
        why = "the model thinks before it answers" if found.thinks else "the server gives no log-probabilities"
        raise ModelError(
            f"{client.address}: {why} ({found.engine}), so there are no exact"
            " probabilities of the labels; use a server that gives them, or have its replies sampled, as `dilemmas ask`"
            " without --exact and `dilemmas tournament run` do, and LanguageModelAgent in Python with ask='sampled'"
        )
