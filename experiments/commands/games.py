"""`dilemmas games`: the list of environments, their pages and the solutions of their games."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from inspect import cleandoc
from types import ModuleType
from typing import Any

import click
from pettingzoo.env_registry.registration import parallel_registry  # type: ignore[import-untyped]
from rich.markdown import Markdown
from rich.table import Table

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import ENVIRONMENTS, GAMES, example_options, game_name, game_options
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.pettingzoo_api import env_pages as pages
from dilemmas.envs.theory.bimatrix_equilibria import continua
from dilemmas.envs.theory.equilibria_2x2 import Equilibrium
from dilemmas.envs.theory.outcomes import JointOutcome
from dilemmas.envs.theory.solutions import DilemmaStrength, Solution, dilemma, region_of, solve
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.options import json_option, print_json, set_option
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import fact_table, number_column, terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import echo

LISTED = 6
"""Maximum number of joint actions that are printed of a list; `--json` has all of them."""
ROWS = 12
"""Maximum number of players or actions for which a table of payoffs is printed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """An environment with some options."""

    id: str
    """Identifier in PettingZoo, for example ``dilemmas/stag_hunt-v0``."""
    name: str
    """Name in the catalogue."""
    kind: str
    """Number of players and actions of the game, in words."""
    dilemma: str
    """Kind of dilemma, in words."""
    players: int
    """Number of agents."""
    actions: tuple[int, ...]
    """Number of actions of each player of the game; 0 if an action is an amount."""
    action_space: str
    """Action space of the first agent, including talk and sanctions."""
    observation_shape: tuple[int, ...]
    """Shape of an observation."""
    options: dict[str, Any]
    """All options, with their defaults."""


def environments() -> dict[str, str]:
    """Ids of the registered environments, by name."""
    return {game_name(known): known for known in parallel_registry if known.startswith("dilemmas/")}


def make(name: str, options: Mapping[str, Any]) -> Any:
    """A parallel environment by its name or id; `UnknownNameError` for an unknown option.

    Without options, a game that has no payoffs of its own has those of an example.
    """
    return page(name).parallel_env(**options or example_options(name))


def page(name: str) -> ModuleType:
    """The module of an environment, whose docstring is its page."""
    if game_name(name) in GAMES and game_name(name) not in ENVIRONMENTS:
        options = " ".join(f"--set {option}={value:g}" for option, value in game_options(name).items())
        raise InputError(
            f"'{name}' has no environment of its own; the same game is shown by `dilemmas games matrix_game {options}`"
        )
    identity = lookup("game", game_name(name), environments())
    return import_module(parallel_registry[identity].entry_point.partition(":")[0])


def facts(name: str, environment: Any) -> Facts:
    """The facts about an environment."""
    game, first = environment.rules.stage, environment.possible_agents[0]
    return Facts(
        id=environments()[game_name(name)],
        name=game_name(name),
        kind=kind(game, environment.rules.n_players),
        dilemma=dilemma(game),
        players=environment.rules.n_players,
        actions=game.options,
        action_space=str(environment.action_space(first)),
        observation_shape=environment.observation_space(first).shape,
        options=pages.environment_options(name),
    )


def kind(game: StageGame, players: int) -> str:
    """Number of players and actions in words."""
    if players != game.n_players:
        return f"population of {players}, in pairs with {game.n_actions} actions"
    if players == 2:
        return f"2 players, {' x '.join(map(str, game.options))}"
    return f"{players} players, {game.n_actions} actions"


@click.command()
@click.argument("name", required=False, shell_complete=completion.games)
@set_option
@json_option
def command(name: str | None, settings: Mapping[str, Any], as_json: bool) -> None:
    """List the environments; or print the page of the environment NAME, and the solution of its stage game.

    With --set, only the game with these payoffs and options is analysed.
    """
    if name is None:
        return show_all(settings, as_json)
    environment = make(name, settings)
    game = environment.rules.stage
    solution = solve(game)
    if as_json:
        described = {**asdict(facts(name, environment)), "page": cleandoc(page(name).__doc__ or "")}
        return print_json({**described, "solution": solution_data(game, solution)})
    console = SafeConsole()
    if not settings:
        console.print(Markdown(cleandoc(page(name).__doc__ or "")), "")
    console.print(Markdown(f"## Solution of one round of {game.name}"))
    for part in (game_payoff_table(game, solution.strength), fact_table(solution_lines(game, solution))):
        console.print(part)


def show_all(settings: Mapping[str, Any], as_json: bool) -> None:
    """Print a line per environment."""
    if settings:
        raise InputError(f"--set {next(iter(settings))}: which game? Give its NAME")
    listed = [facts(known, make(known, {})) for known in environments()]
    if as_json:
        return print_json(list(map(asdict, listed)))
    SafeConsole().print(environment_list(listed))
    others = " and ".join(name for name in GAMES if name not in ENVIRONMENTS)
    echo("ids are dilemmas/NAME-v0; `dilemmas games NAME` shows a page", err=True)
    echo(f"{others} are played under these names too, without an environment and a page of their own", err=True)


def environment_list(listed: Iterable[Facts]) -> Table:
    """One line per environment."""
    rows = [(known.name, known.kind, known.dilemma) for known in listed]
    return terminal_table([*map(word_column, ("environment", "kind", "dilemma"))], rows)


def game_payoff_table(game: StageGame, strength: DilemmaStrength | None) -> Table | str:
    """Payoffs by the actions of two players; in symmetric games of more, by the number of others who cooperate."""
    if game.n_players == 2 and game.n_actions <= ROWS:
        own, other = (range(count) for count in game.options)
        headings = ["", *(action_name(game, column) for column in other)]
        rows = [
            [action_name(game, row), *(", ".join(map(six_digits, game.payoffs((row, column)))) for column in other)]
            for row in own
        ]
    elif strength is None or game.n_players > ROWS:
        return ""
    else:
        headings = ["other cooperators", "C pays", "D pays"]
        paid = enumerate(zip(strength.cooperate, strength.defect, strict=True))
        rows = [[str(others), *map(six_digits, payoffs)] for others, payoffs in paid]
    return terminal_table([*map(number_column, headings)], rows)


def solution_lines(game: StageGame, solution: Solution) -> dict[str, str]:
    """The solution of a game in words, by concept."""
    bounds, strength = solution.welfare, solution.strength
    listed = partial(_listed, game, symmetric=solution.symmetric)
    lines = {
        "dilemma": solution.dilemma,
        "dominant action": _dominant(game, solution),
        "pure equilibria": listed(solution.pure),
        "Pareto front": listed(solution.pareto),
        "least total": f"{six_digits(bounds.least)} at {listed(bounds.least_at)}",
        "greatest total": f"{six_digits(bounds.greatest)} at {listed(bounds.greatest_at)}",
    }
    lines["mixed equilibria"] = _mixed(game, solution)
    if solution.price_of_anarchy is not None:
        lines["price of anarchy"] = six_digits(solution.price_of_anarchy)
    if strength is not None:
        lines["greed"] = _scaled(strength.greed, strength.scaled_greed)
        lines["fear"] = _scaled(strength.fear, strength.scaled_fear)
        excess = "2R - (T + S)" if game.n_players == 2 else "over taking turns"
        lines[excess] = six_digits(strength.against_turns)
    return lines


def solution_data(game: StageGame, solution: Solution) -> dict[str, Any]:
    """A solution as plain data."""
    place, strength = region_of(game), solution.strength
    figures = ("gains", "greed", "fear", "stake", "scaled_greed", "scaled_fear", "against_turns")
    return {
        **asdict(solution),
        "region": place and asdict(place),
        "strength": strength and {**asdict(strength), **{name: getattr(strength, name) for name in figures}},
    }


def action_name(game: StageGame, action: int) -> str:
    """C or D if one of two actions is more cooperative; else the number of the action, such as #3."""
    if game.n_actions == 2 and game.cooperation(0) > game.cooperation(1):
        return "CD"[action]
    return f"#{action}"


def outcome_text(game: StageGame, outcome: JointOutcome, exchanged: bool) -> str:
    """A joint action and its payoffs: ``C D (0, 5)``, or ``1 C (2), 3 D (4)`` if players can be exchanged."""
    names = [action_name(game, action) for action in outcome.joint]
    if not exchanged:
        return f"{' '.join(names)} ({', '.join(map(six_digits, outcome.payoffs))})"
    counts, payoffs = Counter(names), dict(zip(names, outcome.payoffs, strict=True))
    return ", ".join(f"{count} {name} ({six_digits(payoffs[name])})" for name, count in counts.items())


def equilibrium_text(game: StageGame, equilibrium: Equilibrium) -> str:
    """The probabilities of an equilibrium, or of a continuum of equilibria: ``P(C) = 0.5 and any from 0 to 1``."""
    spans = (equilibrium.first, equilibrium.second)
    parts = [
        six_digits(low) if low == high else f"any from {six_digits(low)} to {six_digits(high)}" for low, high in spans
    ]
    return f"P({action_name(game, 0)}) = {parts[0]} and {parts[1]}"


def six_digits(value: float) -> str:
    """A payoff or a probability with up to six significant digits, without minus zero."""
    return f"{value + 0.0:.6g}"


def _mixed(game: StageGame, solution: Solution) -> str:
    """The equilibria in mixed strategies, or why they are not known."""
    if solution.mixed is not None:
        return "; ".join(equilibrium_text(game, one) for one in solution.mixed if not one.pure) or "none"
    if solution.extreme is None:
        return f"not computed for {'this many actions' if game.n_players == 2 else 'three or more players'}"
    mixed = [one for one in solution.extreme if not one.pure]
    chance = [f"{_strategy_text(one.first)} and {_strategy_text(one.second)}" for one in mixed]
    more = [f"{len(chance) - LISTED} more"] if len(chance) > LISTED else []
    if continua(solution.extreme):
        more.append("infinitely many (degenerate game): also all between two in which a player does the same")
    return "; ".join(chance[:LISTED] + more) or "none"


def _strategy_text(chances: Sequence[float]) -> str:
    """The actions that a player takes, with their probabilities: ``0.5 #0 + 0.5 #2``."""
    return " + ".join(f"{six_digits(chance)} #{action}" for action, chance in enumerate(chances) if chance)


def _listed(game: StageGame, outcomes: Sequence[JointOutcome], symmetric: bool) -> str:
    shown = [outcome_text(game, outcome, symmetric and game.n_players > 2) for outcome in outcomes[:LISTED]]
    more = [f"{len(outcomes) - LISTED} more"] if len(outcomes) > LISTED else []
    return "; ".join(shown + more) or "none"


def _dominant(game: StageGame, solution: Solution) -> str:
    """Dominant actions, given once if the players are symmetric."""
    texts = [
        f"{action_name(game, one.action)} ({'strictly' if one.strict else 'weakly'})" if one else "none"
        for one in solution.dominant
    ]
    return texts[0] if solution.symmetric else ", ".join(f"player_{i} {text}" for i, text in enumerate(texts))


def _scaled(points: float, share: float | None) -> str:
    return six_digits(points) + (f", scaled {six_digits(share)}" if share is not None else "")
