"""Replay of one recorded match: the environment, all draws and all decisions are compared with the record.

Actions are taken from the record, so a difference does not affect later rounds. Then each action is drawn again from
its recorded probabilities, and each agent that can be rebuilt from the header decides again. A language model is
replayed without its weights: its outputs are taken from the record, and the prompt, the parsed reply and the action are
verified. With the weights, its outputs are computed again.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain, islice
from typing import Any

import numpy as np

from dilemmas.agents.agent import PERSON, Agent, Decision, PlayerRecord, Source, Turn, Unreadable, draw
from dilemmas.agents.axelrod.bridge import axelrod_agent
from dilemmas.agents.behaviour.quantal_response import NAME as QUANTAL_RESPONSE
from dilemmas.agents.behaviour.quantal_response import QuantalResponse
from dilemmas.agents.engines.environment import Remembered, needs_more
from dilemmas.agents.matches.match import Environment, RunningMatch, decision_stream, make_turn, play_step, start_match
from dilemmas.agents.matches.record import MatchRecord, Move, RecordError, json_value
from dilemmas.agents.matches.trajectory import Header
from dilemmas.agents.models.backend import Backend, FakeBackend, Request, Response
from dilemmas.agents.models.deciding.questions import restore_template
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.catalogue import Uniform, strategy
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.tables.table_file import parse_table
from dilemmas.envs.prompts.contexts import Context
from dilemmas.envs.prompts.templates import Template, load_template

TOLERANCE = 1e-9
"""Tolerance of probabilities that are computed from recorded ones."""
MODEL_TOLERANCE = 1e-5
"""Tolerance of probabilities that a model computes again, possibly in batches of another size."""

AT_ONCE = 1000
"""Steps of which decisions are made again in one batch."""

Again = Callable[[Sequence[Turn], Sequence[Decision]], list[Decision]]
"""Decide the turns of a recorded match again, given the recorded decisions."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that was not reproduced."""

    match: int
    round: int
    """Number of the round, from 1; 0 for the match as a whole."""
    player: str | None
    """Name of the player; None if it concerns all players."""
    field: str
    recorded: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class Witness:
    """A recorded player whose decisions can be computed again."""

    ask: Again
    tolerance: float = TOLERANCE
    """Tolerance of probabilities."""
    whole: bool = False
    """Whether it needs a longer history than the environment provides."""


def witness(
    player: PlayerRecord, header: Header, backend: Backend | None = None, template: Template | None = None
) -> Witness | None:
    """Rebuild a player from its description in the header; None for kinds that cannot be rebuilt.

    Parameters
    ----------
    player, header
        Description of the player, and the header of its record.
    backend
        The language model, to verify its outputs; None uses the recorded outputs.
    template
        Template of the prompts, if it is not built in.

    Raises
    ------
    InputError
        If a name in the header does not exist any more.
    RecordError
        If `backend` is another model than the recorded one.
    """
    if player.kind == "automaton":
        return _strategy(_automaton(player), header)
    if player.kind == "counting":
        return _strategy(strategy(player.name), header)
    if player.kind == "uniform":
        return Witness(_plain_agent(Uniform(player.name)))
    if player.kind == QUANTAL_RESPONSE:
        return Witness(_plain_agent(QuantalResponse(player.parameters["context"], player.name)))
    if player.kind == "policy_table":
        return Witness(_plain_agent(parse_table(player.parameters)))
    if player.kind == "axelrod":
        return _strategy(axelrod_agent(player.parameters["strategy"]), header)
    if player.kind not in ("language_model", PERSON):
        return None
    if backend is None:
        agent = _language_model(player, header, FakeBackend(lambda request: Response(), player.name), template)
        return Witness(lambda turns, old: [_retell(agent, *pair) for pair in zip(turns, old, strict=True)])
    known = player.parameters.get("fingerprint")
    if backend.fingerprint != known:
        raise RecordError(f"the model has the fingerprint {backend.fingerprint}, that of the record {known}")
    return Witness(_plain_agent(_language_model(player, header, backend, template)), MODEL_TOLERANCE)


def _automaton(player: PlayerRecord) -> Automaton:
    parameters = dict(player.parameters)
    after = tuple(tuple(row) for row in parameters.pop("after"))
    return Automaton(player.name, tuple(parameters.pop("cooperate")), after, **parameters)


def _strategy(agent: Agent, header: Header) -> Witness:
    """The automaton of a description, with the history that it had when it played."""
    memory = header.options.get("memory", 1)
    return Witness(_plain_agent(agent), whole=memory is not None and needs_more(agent, memory))


def _plain_agent(agent: Agent) -> Again:
    return lambda turns, _: agent.decide(turns)


def _language_model(player: PlayerRecord, header: Header, backend: Backend, own: Template | None) -> LanguageModelAgent:
    known = {item.name for item in fields(LanguageModelAgent)}
    settings = {key: value for key, value in player.parameters.items() if key in known}
    template = header.template or str(settings["template"]).partition("@")[0]
    settings["context"] = Context(**settings["context"])
    settings["template"] = restore_template(own or load_template(template), player.parameters)
    settings["unreadable"] = Unreadable(settings["unreadable"])
    settings["min_mass"] = 0.0  # what was played had been accepted
    return LanguageModelAgent(backend, **settings)


def _retell(agent: LanguageModelAgent, turn: Turn, old: Decision) -> Decision:
    """The decision given the recorded outputs of the model."""
    texts, weights = _outputs(old)
    written, scored = chain([("", None)] * len(texts) * (old.attempts - 1), texts), iter(weights)

    def answer(request: Request) -> Response:
        if not old.attempts:
            return Response(refused="the model could not be asked")
        if request.labels:
            return Response(tuple(math.log(weight) if weight else -math.inf for weight in next(scored, ())))
        text, thoughts = next(written, ("", None))
        return Response(text=text, thoughts=thoughts or "")

    (new,) = replace(agent, backend=FakeBackend(answer, agent.name)).decide([turn])
    return new


def _outputs(old: Decision) -> tuple[list[tuple[str, str | None]], list[Sequence[float]]]:
    """The texts that a model wrote for a decision, each with the thoughts before it, and the probabilities that it
    gave to labels, in the order of the requests.

    The label mass that is recorded after a prediction is that of both: here it is that of the answer.
    """
    mass, rows = 1.0 if old.mass is None else old.mass, [old.probabilities]
    texts = [(old.reply or "", old.thoughts)]
    if old.deliberations is not None:
        texts = [(one.text, one.thoughts) for one in old.deliberations]
        rows = [one.probabilities for one in old.deliberations]
    predicted = [] if old.prediction is None else [old.prediction]
    return texts, [*predicted, *([p * mass for p in row or ()] for row in rows)]


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """A recorded decision and its turn."""

    step: int
    seat: int
    turn: Turn
    old: Decision


@dataclass(frozen=True, slots=True)
class RetracedStep:
    """A step of the environment that was played again."""

    asked: list[RecordedTurn]
    found: list[Difference]


def reenact(
    env: Environment, header: Header, record: MatchRecord, witnesses: Sequence[Witness | None]
) -> list[Difference]:
    """Replay a match and return the differences in the first round that has any; empty if the match is reproduced.

    Parameters
    ----------
    env, header
        The environment, and the header that describes it.
    record
        The match.
    witnesses
        Rebuilt players in the order of the header; None for a player that cannot be rebuilt.
    """
    whole = [witness is not None and witness.whole for witness in witnesses]
    running = start_match(Remembered(env, whole) if any(whole) else env, header.seed, record.match)
    steps = retrace(running, header, record)
    while portion := list(islice(steps, AT_ONCE)):
        found = [difference for step in portion for difference in step.found]
        asked = [one for step in portion for one in step.asked]
        for number, witness in enumerate(witnesses):
            own = [one for one in asked if one.seat == number and one.old.error is None]
            found += _draws(header.seed, record.match, own)
            if witness is not None and own:
                found += _decisions(record.match, own, witness)
        if found:
            first = min(difference.round for difference in found)
            return [difference for difference in found if difference.round == first]
    return []


def retrace(running: RunningMatch, header: Header, record: MatchRecord) -> Iterator[RetracedStep]:
    """Step the environment of a match that has just begun through its record."""
    last = len(record.steps)
    for step, moves in enumerate(record.steps, 1):
        players, found, asked = [move.player for move in moves], [], []
        if step == 1 and running.seed != record.seed:
            found.append(Difference(record.match, 0, None, "seed", record.seed, running.seed))
        if running.outcome is not None or players != list(running.env.agents):
            found.append(Difference(record.match, step, None, "players", players, list(running.env.agents)))
            yield RetracedStep([], found)
            return
        for move in moves:
            turn = make_turn(running, move.player, header.seed, step)
            asked.append(RecordedTurn(step, running.players.index(move.player), turn, move.decision))
        play_step(running, {move.player: _playable(running, move) for move in moves})
        for old, new in zip(moves, running.steps[-1], strict=True):
            found += _unequal(record.match, step, old.player, old, new, skip="decision")
        if not found:
            running.steps[-1] = moves  # equal, and in memory already
        if step == last:
            found += _ending(running, record)
        yield RetracedStep(asked, found)


def _ending(running: RunningMatch, record: MatchRecord) -> Iterator[Difference]:
    """Compare how the match ended."""
    last = len(record.steps)
    if running.outcome is None:
        yield Difference(record.match, last, None, "ending", str(record.outcome.reason), "the match continues")
    else:
        yield from _unequal(record.match, last, None, record.outcome, running.outcome)


def _playable(running: RunningMatch, move: Move) -> Decision:
    """The recorded decision with its action in the form that the environment accepts, such as an array."""
    action = move.decision.action
    if not isinstance(action, list):
        return move.decision
    return replace(move.decision, action=np.asarray(action, dtype=running.env.action_space(move.player).dtype))


def _unequal(match: int, step: int, player: str | None, old: Any, new: Any, skip: str = "") -> Iterator[Difference]:
    """The fields in which two instances of a dataclass differ, except `skip`."""
    for name in (item.name for item in fields(old) if item.name != skip):
        recorded, replayed = json_value(getattr(old, name)), json_value(getattr(new, name))
        if repr(recorded) != repr(replayed):  # exact for floats; nan equals nan
            yield Difference(match, step, player, name, recorded, replayed)


def _draws(seed: int, match: int, asked: Sequence[RecordedTurn]) -> Iterator[Difference]:
    """Draw every action with recorded probabilities again."""
    for one in asked:
        old = one.old
        if old.probabilities is None or old.action is None or old.source is Source.SAMPLED:
            continue
        try:
            action = draw(old.probabilities, decision_stream(seed, match, one.step, one.seat))
        except ValueError:
            yield Difference(match, one.step, one.turn.agent, "probabilities", old.probabilities, "no distribution")
            continue
        if action != old.action:
            yield Difference(match, one.step, one.turn.agent, "action drawn", old.action, action)


def _decisions(match: int, asked: Sequence[RecordedTurn], witness: Witness) -> Iterator[Difference]:
    """Make every decision of the rebuilt players again."""
    try:
        again = witness.ask([one.turn for one in asked], [one.old for one in asked])
    except (Exception, SystemExit) as error:  # any error of an agent is a difference from the recorded decision
        first = asked[0]
        yield Difference(match, first.step, first.turn.agent, "decision", str(first.old.action), repr(error))
        return
    for one, new in zip(asked, again, strict=True):
        for name in (item.name for item in fields(Decision)):
            recorded, replayed = json_value(getattr(one.old, name)), json_value(getattr(new, name))
            if not _same(recorded, replayed, witness.tolerance):
                yield Difference(match, one.step, one.turn.agent, name, recorded, replayed)


def _same(recorded: Any, replayed: Any, tolerance: float) -> bool:
    """Whether two values of a decision are equal; fractions to within `tolerance`."""
    if isinstance(recorded, list) and isinstance(replayed, list) and len(recorded) == len(replayed):
        return all(_same(one, other, tolerance) for one, other in zip(recorded, replayed, strict=True))
    if isinstance(recorded, Mapping) and isinstance(replayed, Mapping) and recorded.keys() == replayed.keys():
        return all(_same(value, replayed[key], tolerance) for key, value in recorded.items())
    if isinstance(recorded, float) and isinstance(replayed, float):
        return abs(recorded - replayed) <= tolerance
    return bool(recorded == replayed)
