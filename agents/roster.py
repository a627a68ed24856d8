"""Who takes part in a tournament: an agent for each word on the command line.

    tit_for_tat   random(0.3)   zd_extort(3)        a strategy, by name or alias, some with parameters
    tuned.json                                      a policy table (`dilemmas compile`)
    miniature-student+runs/replicate/adapter        a language model, with a LoRA adapter where there is one
    axelrod:Adaptive                                any strategy of Axelrod-Python
    uniform                                         anything possible, each action as likely
    Tuned=miniature-student+...                     any of them, under a name of your own
    @first_tournament   @automata   @all   @groups  many strategies at once

A language model is compiled: asked once what it does after every history that it can tell apart, and then as quick and
as exact as a strategy. Where the tournament plays everything in environments, it is asked anew for every decision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dilemmas.agents.agent import Agent
from dilemmas.agents.models.model_files import names_model
from dilemmas.agents.strategies.catalogue import FIRST_TOURNAMENT, Uniform, listing, strategy
from dilemmas.agents.tables.policy_table import PolicyTable, compile_agent, same_payoffs
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.theory.outcomes import is_symmetric

AXELROD = "axelrod:"
"""What the words of Axelrod's strategies begin with."""

Seats = tuple[Agent, ...]
"""What one contestant plays from each seat."""


class ContestantError(InputError):
    """Agents that cannot take part as asked."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How the game is put to language models."""

    context: str = "team"
    """Social context."""
    template: str = "study"
    """Prompt template, or the path of a TOML file."""
    device: str = "auto"
    """``cpu``, ``cuda``, ``cuda:1`` or ``auto``."""

    def __post_init__(self) -> None:
        context(self.context)
        load_template(self.template)


@cache
def sets() -> Mapping[str, tuple[str, ...]]:
    """Names of many strategies, by the word for them."""
    rows = listing()
    return {
        "@first_tournament": tuple(FIRST_TOURNAMENT),
        "@automata": tuple(row.name for row in rows if row.kind == "automaton"),
        "@all": tuple(row.name for row in rows if row.kind in ("automaton", "counting")),
        "@groups": tuple(row.name for row in rows if row.kind == "group"),
    }


def expanded(words: Sequence[str]) -> tuple[str, ...]:
    """The words with those for many strategies written out; of these, nobody is named twice."""
    found: list[str] = []
    for word in words:
        many = lookup("set", word, sets()) if word.startswith("@") else ()
        found += [name for name in many if name not in found] if many else [word]
    return tuple(found)


def contestants(words: Sequence[str], rules: Repeated, framing: Framing, compiled: bool = True) -> Mapping[str, Seats]:
    """Who plays, by name, in the order of the words. Two of one name are refused.

    `compiled`: whether language models are asked once for all, not in every match.
    """
    found: dict[str, Seats] = {}
    for word in words:
        name, seats = _contestant(word, rules, framing, compiled)
        if name in found:
            raise ContestantError(f"two agents are named '{name}'; name one of them yourself: OTHER={word}")
        found[name] = seats
    return found


def alike(game: StageGame) -> bool:
    """Whether it does not matter who sits where."""
    return len(set(game.endowments)) == 1 if game.endowments else is_symmetric(game)


def _contestant(word: str, rules: Repeated, framing: Framing, compiled: bool) -> tuple[str, Seats]:
    own, equals, rest = word.partition("=")
    if not equals or "(" in own:
        own, rest = "", word
    elif not own.strip() or not rest.strip():
        raise ContestantError(f"agent '{word}': needs a name and an agent, NAME=AGENT")
    name, seats = _seats(rest.strip(), rules, framing, compiled)
    return own.strip() or name, seats


def _seats(word: str, rules: Repeated, framing: Framing, compiled: bool) -> tuple[str, Seats]:
    """What tables call the agent of a word, and the agent in each seat."""
    n = rules.n_players
    if word.startswith(AXELROD):
        from dilemmas.agents.axelrod.bridge import axelrod_agent

        return word, (axelrod_agent(word.removeprefix(AXELROD)),) * n
    if word.endswith(".json"):
        return Path(word).stem, _of_table(PolicyTable.load(word), rules, compiled)
    model, plus, adapter = word.partition("+")
    if plus or names_model(model):
        return word, _of_model(model, adapter or None, rules, framing, compiled)
    agent: Agent = Uniform() if word == Uniform().name else strategy(word, players=n)
    return agent.name, (agent,) * n


def _of_table(table: PolicyTable, rules: Repeated, compiled: bool) -> Seats:
    game = rules.stage
    if not same_payoffs(game, table.game):
        way_out = ""
        if isinstance(game, MatrixGame) and isinstance(table.game, MatrixGame):
            wanted, had = ([f"{name}={getattr(one, name):g}" for name in "TRPS"] for one in (game, table.game))
            way_out = f" (--payoffs {','.join(wanted)}), or play for its payoffs (--set {' --set '.join(had)})"
        raise ContestantError(f"{table.name} is about {table.game}; compile one for {game}{way_out}")
    if not alike(game):
        raise ContestantError(f"{table.name} plays seat {table.player} of {game.name}, and a contestant plays them all")
    return (table.automaton() if compiled and set(game.options) == {2} else table,) * game.n_players


def _of_model(model: str, adapter: str | None, rules: Repeated, framing: Framing, compiled: bool) -> Seats:
    from dilemmas.agents.models.language_model import LanguageModelAgent
    from dilemmas.agents.models.local import OnDemand

    game = rules.stage
    backend = OnDemand(model, adapter, framing.device)
    backend.loaded()  # what cannot be loaded is told at once
    words = load_template(framing.template)
    agent = LanguageModelAgent(backend, context(framing.context), words)
    if not (compiled and set(game.options) == {2} and len(rules.phases) == 1):
        return (agent,) * game.n_players
    players = 1 if alike(game) else game.n_players
    tables = [compile_agent(agent, game, rules.memory, player=player) for player in range(players)]
    seats = tuple(table.automaton() for table in tables)
    return seats * game.n_players if players == 1 else seats
