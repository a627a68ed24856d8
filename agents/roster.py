"""Agents by specification (`dilemmas.agents.specifications`), for the command line and Python.

In a tournament a language model is compiled: its action probabilities are computed once for every history that it can
distinguish, so it is as fast and exact as a strategy. With the engine ``environment`` the model is queried for every
decision.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import cast

from dilemmas.agents.agent import PERSON, Agent, Source
from dilemmas.agents.behaviour.quantal_response import QuantalResponse
from dilemmas.agents.models.servers.settings import ServerSettings
from dilemmas.agents.specifications import AXELROD, ContestantError, Kind, parse_spec
from dilemmas.agents.strategies.catalogue import FIRST_TOURNAMENT, Uniform, canonical, listing, strategy
from dilemmas.agents.strategies.finite_state import StrategyError
from dilemmas.agents.tables.compilation import compile_agent, samples_replies
from dilemmas.agents.tables.histories import same_payoffs
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.agents.tables.table_file import load_table
from dilemmas.envs.games.catalogue import GAMES, Game, example_options, game_options
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.prompts.contexts import built_in_contexts, context
from dilemmas.envs.prompts.labels import Showing
from dilemmas.envs.prompts.longest import longest_view, longest_views
from dilemmas.envs.prompts.template_choices import TemplateChoice
from dilemmas.envs.prompts.templates import Template
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.theory.outcomes import alike_seats

Seats = tuple[Agent, ...]
"""Agent of one contestant in each seat."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How the game is presented to language models."""

    context: str = "team"
    """Social context."""
    template: str = "study"
    """Prompt template, or the path of a TOML file; empty for `usual`."""
    device: str = "auto"
    """``cpu``, ``cuda``, ``cuda:1`` or ``auto``."""
    presentation: Showing = "auto"
    """``counterbalanced``, ``fixed`` or ``auto``, as for `LanguageModelAgent`."""
    min_mass: float = 0.01
    """Smallest label mass that is accepted, in [0, 1], as for `LanguageModelAgent`."""
    servers: ServerSettings = field(default_factory=ServerSettings)
    """How models behind servers are asked."""
    persona: str = ""
    """As in `TemplateChoice`, like the following."""
    labels: str = ""
    """Label set, or two labels."""
    system: str = ""
    """Text of the system turn."""
    usual: Template | None = None
    """The template if none is named, such as that of a recipe."""

    def __post_init__(self) -> None:
        context(self.context, self.words.contexts)

    @property
    def words(self) -> Template:
        """The template with persona, labels and system text."""
        return TemplateChoice(self.template, self.persona, self.labels, self.system).of(self.usual)


def make_agent(
    spec: str,
    players: int = 2,
    framing: Framing | None = None,
    game: StageGame | None = None,
    exact: bool = False,
) -> Agent:
    """Make an agent from its specification (see `dilemmas.agents.specifications`).

    Parameters
    ----------
    spec
        Strategy, policy table, language model, ``axelrod:NAME``, ``uniform`` or ``human``; also ``NAME=AGENT``, where
        NAME does not affect its behaviour.
    players
        Number of players of the game, 2 or more.
    framing
        How the game is presented to a language model; required for one.
    game
        The game that it plays, for strategies that are computed from payoffs; None: the default prisoner's dilemma.
    exact
        Whether a language model must give exact probabilities; otherwise the replies of one that gives none are
        sampled, with a warning.

    Raises
    ------
    InputError
        If there is no such agent, or it cannot be used.
    """
    parsed = parse_spec(spec, players, game)
    if parsed.kind == "model":
        return _open_agent(parsed.text, framing, exact)
    if parsed.kind == "axelrod":
        from dilemmas.agents.axelrod.bridge import axelrod_agent

        return axelrod_agent(parsed.text.removeprefix(AXELROD))
    if parsed.kind == "table":
        return load_table(parsed.text)
    if parsed.kind == "behaviour":
        return QuantalResponse((framing or Framing()).context)
    if parsed.kind == "person":
        from dilemmas.agents.people.person import Person

        told = framing or Framing()
        return Person(context(told.context, told.words.contexts), told.words, parsed.own_name or PERSON)
    return Uniform() if parsed.kind == "uniform" else strategy(parsed.text, players, game)


@cache
def sets() -> Mapping[str, tuple[str, ...]]:
    """The names of the strategies in each set, by the name of the set."""
    rows = listing()
    return {
        "@first_tournament": tuple(FIRST_TOURNAMENT),
        "@automata": tuple(row.name for row in rows if row.kind == "automaton"),
        "@all": tuple(row.name for row in rows if row.kind in ("automaton", "counting")),
        "@groups": tuple(row.name for row in rows if row.kind == "group"),
    }


def expanded(specs: Sequence[str], game: StageGame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The specifications with every set replaced by its strategies, except those that are already in the list.

    Returns
    -------
    The specifications, and the names of the members of sets that were left out because they cannot play the game.
    """
    found: list[str] = []
    unable: list[str] = []
    for spec in specs:
        if not spec.startswith("@"):
            found.append(spec)
            continue
        for name in lookup("set", spec, sets()):
            (found if _can_play(name, game) else unable).extend([name] * (name not in found + unable))
    return tuple(found), tuple(unable)


def _can_play(name: str, game: StageGame) -> bool:
    """Whether a strategy exists for a game and its number of players."""
    try:
        strategy(name, game.n_players, game)
    except StrategyError:
        return False
    return True


def player_named(word: str, names: Sequence[str], kind: str = "player", place: str = "") -> str:
    """The player that a word means: one with this name, or else a strategy with this other name or spelling.

    Parameters
    ----------
    word
        Such as ``tit_for_tat``, ``tft`` or ``TitForTat``.
    names
        Names of the players.
    kind, place
        What the word denotes and where it was given, for the message.

    Raises
    ------
    UnknownNameError
        If no player, or more than one, has this name.
    """
    if word not in names:
        meant = canonical(word)
        same = [name for name in names if canonical(name) == meant]
        if len(same) == 1:
            return same[0]
    return lookup(kind, word, {name: name for name in names}, place)


@dataclass(frozen=True, slots=True)
class Contestant:
    """A participant of a tournament; a language model has been asked nothing yet."""

    agent: Agent
    """The agent, the same in every seat."""
    kind: Kind
    """Kind of its specification."""

    def seats(self, rules: Repeated, compiled: bool = True) -> tuple[Seats, Source | None]:
        """The agent in each seat: itself, or its compiled automaton, for which a language model is asked.

        `compiled`: whether agents are compiled where they can be.

        Returns
        -------
        The agents, and where the probabilities of a table come from; None if the agent plays itself.
        """
        game = rules.stage
        if self.kind == "table":
            two_actions = set(game.options) == {2}
            playing = self.agent.traits.automaton if compiled and two_actions else self.agent
            return (playing,) * game.n_players, cast(PolicyTable, self.agent).origin.source
        if not (compiled and self._is_compiled(rules)):
            return (self.agent,) * game.n_players, None
        tables = [compile_agent(self.agent, game, rules.memory, player=player) for player in _unlike_seats(game)]
        seats = tuple(table.traits.automaton for table in tables)
        return seats * game.n_players if len(seats) == 1 else seats, tables[0].origin.source

    def check(self, rules: Repeated, compiled: bool = True) -> None:
        """Check that a language model can be asked all that `seats` and the matches will ask it, before it is asked.

        `InputError` if the longest question is too long for it, or it cannot be asked for such an answer.
        """
        if self.kind not in ("model", "person"):
            return
        from dilemmas.agents.models.language_model import LanguageModelAgent

        model = cast(LanguageModelAgent, self.agent)  # a person is asked the same
        for player in _unlike_seats(rules.stage):
            if compiled and self._is_compiled(rules):
                model.check([longest_view(model.template, rules.stage, rules.memory, player)])
            else:
                model.check(longest_views(model.template, rules, player))

    def _is_compiled(self, rules: Repeated) -> bool:
        """Whether it is a language model of which a table can be made."""
        simple = set(rules.stage.options) == {2} and len(rules.phases) == 1
        return self.kind in ("model", "behaviour") and simple and not samples_replies(self.agent)


def _unlike_seats(game: StageGame) -> range:
    """The seats that differ: the first one if all players are alike."""
    return range(1 if alike_seats(game) else game.n_players)


def contestants(specs: Sequence[str], rules: Repeated, framing: Framing) -> Mapping[str, Contestant]:
    """The agents of a tournament by name, in the order of the specifications; names must differ."""
    found: dict[str, Contestant] = {}
    for spec in specs:
        parsed = parse_spec(spec, rules.n_players, rules.stage)
        agent = make_agent(spec, rules.n_players, framing, rules.stage)
        name = parsed.name_of(agent)
        if name in found:
            raise ContestantError(
                f"two agents are named '{name}'; give one of them another name: {shlex.quote(f'OTHER={parsed.text}')}"
            )
        if parsed.kind == "table":
            check_table(cast(PolicyTable, agent), rules.stage)
        found[name] = Contestant(agent, parsed.kind)
    return found


def _open_agent(text: str, framing: Framing | None, exact: bool) -> Agent:
    """A language model as an agent, loaded or asked who it is, so errors occur before the tournament."""
    if framing is None:
        raise ContestantError(
            f"'{text}' is not a strategy, such as tit_for_tat or 'random(0.3)';"
            " a model needs a context (--context), one"
            f" of {', '.join(built_in_contexts())}"
        )
    from dilemmas.agents.models.asking.caching import CachingBackend
    from dilemmas.agents.models.deciding.scored import further_replies, require_scores, warn_if_sampled
    from dilemmas.agents.models.language_model import Ask, LanguageModelAgent
    from dilemmas.agents.models.open_model import open_model
    from dilemmas.agents.models.servers.server import ServerBackend

    model = open_model(text, device=framing.device, servers=framing.servers)
    words = framing.words
    ask: Ask = "exact"
    if not isinstance(model, ServerBackend):
        model.loaded()
    elif exact:
        require_scores(model, words)
    elif warn_if_sampled(model, words):
        ask = "sampled"
    social = context(framing.context, words.contexts)
    asked, shown, retries = CachingBackend(model), framing.presentation, further_replies(words, ask == "sampled")
    return LanguageModelAgent(asked, social, words, ask, presentation=shown, min_mass=framing.min_mass, retries=retries)


def check_table(table: PolicyTable, game: StageGame) -> None:
    """`ContestantError` for a table that cannot play a game from every seat."""
    if not same_payoffs(game, table.game):
        raise ContestantError(f"{table.name} is for {table.game}, not for {game}{_way_out(table, game)}")
    if not alike_seats(game):
        raise ContestantError(f"{table.name} plays seat {table.player} of {game.name}, and a contestant plays them all")


def _way_out(table: PolicyTable, game: StageGame) -> str:
    """Options that make the table and the game agree, if the command line can specify such games."""
    wanted, there = _game_options(game), _game_options(table.game)
    if wanted is None or there is None:
        return ""
    framing = ["--context", table.origin.context] if table.origin.context else []
    command = shlex.join(["dilemmas", "compile", table.origin.agent, *wanted, *framing])
    return f"; compile it for this game ({command}), or play the game of the table ({shlex.join(there)})"


def _game_options(game: StageGame) -> list[str] | None:
    """``--game NAME --set KEY=VALUE ...`` for a game; None if the command line cannot specify it."""
    default = GAMES.get(game.name)
    if not isinstance(game, Game) or default is None:
        return None
    usual, own = asdict(default), asdict(game)
    changed = [name for name in own if own[name] != usual[name] or name in example_options(game.name)]
    if not set(changed) <= set(game_options(game.name)):
        return None
    written = [f"{name}={int(own[name]) if _is_whole(own[name]) else own[name]}" for name in changed]
    return ["--game", game.name, *(word for text in written for word in ("--set", text))]


def _is_whole(value: object) -> bool:
    return isinstance(value, float) and value.is_integer()
