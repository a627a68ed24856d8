"""`dilemmas fingerprint`: how each player of recorded matches behaves, and which strategy is nearest."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from dilemmas.agents.strategies.catalogue import GROUPS, STRATEGIES
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.experiments.commands.options import json_option, print_json, seed_option
from dilemmas.experiments.inference.fingerprint import (
    Character,
    Habit,
    character,
    cooperation_matrix,
    eigenjesus,
    eigenmoses,
    memory_one_fingerprint,
    moves,
)
from dilemmas.experiments.inference.likelihoods import LEAST_TREMBLE, MOST_TREMBLE, evidence
from dilemmas.experiments.inference.recorded_play import Choice, PlayerHistory, read_play, reading_options
from dilemmas.experiments.reporting.intervals import Estimate
from dilemmas.experiments.reporting.terminal_table import terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import one_line

GRID = np.append(LEAST_TREMBLE, np.linspace(0.001, MOST_TREMBLE, 500))
"""Trembles that are tried for the nearest strategy."""
WIDEST = 6
"""Most players at a table whose habits are printed; `--json` has them all."""
MEASURES = (
    ("cooperation", "initial_cooperation", "niceness", "good_partner"),
    ("provocability", "forgiveness", "vengeance", "echo"),
)
"""Fields of `Character`, by the table in which they are printed."""
SUPPORTED = 2.0
"""A strategy is left open where its log-likelihood is at most this much below the greatest (Edwards 1972, Likelihood);
all have one number to be fitted, the tremble, so none is favoured by being more flexible."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The strategy under which the choices of a player are likeliest, with the tremble that suits it best."""

    strategies: tuple[str, ...]
    """Its name, and those of others that the choices leave open, the likeliest first."""
    tremble: float
    """Probability, from 0 to 1/2, that a choice is the opposite of what the strategy says."""
    log_likelihood: float
    """Of all choices."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One player of a run, at tables of one size."""

    player: str
    players: int
    """At the table."""
    matches: int
    choices: int
    """Choices that could be read."""
    unreadable: int
    """Rounds in which its reply could not be read; they count nowhere."""
    habits: tuple[Habit, ...]
    character: Character
    nearest: Nearest | None
    """None without a choice."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@reading_options
@seed_option("the bootstrap over matches")
@json_option
def command(path: Path, choices: Choice, one: str | None, seed: int, as_json: bool) -> None:
    """Describe each player of recorded matches: how it responds to what it saw, and which strategy is nearest.

    PATH is a run folder (of a tournament only with --engine environment), a *.trajectory.jsonl file, or a .csv table as
    for `dilemmas infer`.
    """
    plays = read_play([path], choices, one)
    told = portraits(plays, seed)
    if as_json:
        data = {"players": [asdict(portrait) for portrait in told], **ratings(plays)}
        return print_json(data)
    console = Console(highlight=False)
    for players in sorted({portrait.players for portrait in told}):
        same = [portrait for portrait in told if portrait.players == players]
        tables = [player_habit_table(same), *(character_table(same, names) for names in MEASURES), nearest_table(same)]
        for table in tables:
            console.print(table)
            console.print()


def portraits(plays: Sequence[PlayerHistory], seed: int = 0) -> list[Portrait]:
    """A portrait of every player by its name, one for each size of table, in the order in which they appear."""
    found: dict[tuple[int, str], list[PlayerHistory]] = {}
    for one in plays:
        found.setdefault((one.players, one.player), []).append(one)
    best: dict[tuple[int, str], Nearest] = {}
    for players in sorted({size for size, _ in found}):
        sized = {name: several for (size, name), several in found.items() if size == players}
        best |= {(players, name): one for name, one in nearest(sized, natives(players)).items()}
    return [
        Portrait(
            player=name,
            players=players,
            matches=len(several),
            choices=sum(int((one.chosen >= 0).sum()) for one in several),
            unreadable=sum(int((one.chosen < 0).sum()) for one in several),
            habits=memory_one_fingerprint(moves(several)),
            character=character(several, seed),
            nearest=best.get((players, name)),
        )
        for (players, name), several in found.items()
    ]


def natives(players: int) -> list[Automaton]:
    """The strategies of dilemmas for tables of a size that are finite automata; at tables of two, those for two."""
    known = [entry.strategy.traits.automaton for entry in STRATEGIES]
    groups = [entry.make(entry.name, players) for entry in GROUPS] if players > 2 else []
    return [*(one for one in known if one is not None), *groups]


def nearest(plays: Mapping[str, Sequence[PlayerHistory]], candidates: Sequence[Automaton]) -> dict[str, Nearest]:
    """The nearest strategy to each player, by its name, to a thousandth of the tremble."""
    told = evidence(plays, candidates)
    chances = np.log(told.chances(np.broadcast_to(GRID, (1, len(GRID)))))  # (K, L, trembles)
    found = {}
    for s, name in enumerate(told.subjects):
        counts = told.counts[:, s]  # (K, L)
        if counts.any():
            fits = (counts[:, None] @ chances)[:, 0]  # (K, trembles)
            found[name] = _best(told.strategies, fits)
    return found


def _best(names: Sequence[str], fits: Numbers) -> Nearest:
    """`fits`: log-likelihood by strategy and tremble."""
    tops = fits.max(axis=1)
    places = [k for k in np.argsort(-tops.round(6), kind="stable").tolist() if tops[k] >= tops.max() - SUPPORTED]
    at = int(np.argmax(fits[places[0]]))
    return Nearest(tuple(names[k] for k in places), float(GRID[at]) if at else 0.0, float(tops.max()))


def ratings(plays: Sequence[PlayerHistory]) -> dict[str, Any]:
    """Cooperation between the players of matches of two, and the ratings that follow from it; nothing without names."""
    pairs = [one for one in plays if one.players == 2 and one.others[0]]
    names = list(dict.fromkeys(one.player for one in pairs))
    if not names:
        return {}
    matrix = cooperation_matrix(pairs, names)
    jesus, moses = eigenjesus(matrix), eigenmoses(matrix)
    return {
        "names": names,
        "cooperation_matrix": matrix.tolist(),
        "eigenjesus": None if jesus is None else jesus.tolist(),
        "eigenmoses": None if moses is None else moses.tolist(),
    }


def player_habit_table(told: Sequence[Portrait]) -> Table | str:
    """Probability to cooperate by what was seen of the round before."""
    if told[0].players > WIDEST:
        return f"{told[0].players} players: --json has what they did after each number of defectors"
    headings = ("P(cooperate) after", *(habit.after for habit in told[0].habits))
    rows = [[_name(one), *(_cell(habit.probability, habit.interval) for habit in one.habits)] for one in told]
    return terminal_table(list(map(word_column, headings)), rows)


def character_table(told: Sequence[Portrait], names: Sequence[str]) -> Table:
    """Some measures of each player."""
    rows = []
    for one in told:
        held: list[Estimate | None] = [getattr(one.character, name) for name in names]
        rows.append([_name(one), *(_cell(*astuple(part)) if part else "-" for part in held)])
    return terminal_table([word_column("player"), *(word_column(name.replace("_", " ")) for name in names)], rows)


def nearest_table(told: Sequence[Portrait]) -> Table:
    """What was there to go by, and the nearest strategies to each player."""
    rows = []
    for one in told:
        best, left_out = one.nearest, f" (+{one.unreadable} unreadable)" if one.unreadable else ""
        cells = ("-", "-") if best is None else (f"{best.tremble:.3f}", ", ".join(best.strategies))
        rows.append([_name(one), str(one.matches), f"{one.choices}{left_out}", *cells])
    return terminal_table([*map(word_column, ("player", "matches", "choices", "tremble", "nearest strategies"))], rows)


def _name(one: Portrait) -> str:
    return one_line(one.player)


def _cell(value: float | None, interval: tuple[float, float] | None) -> str:
    """The value, and below it the interval, without the zeros before the points."""
    if value is None:
        return "-"
    span = "" if interval is None else "\n" + "-".join(f"{end:.2f}".removeprefix("0") for end in interval)
    return f"{value:.2f}{span}"
