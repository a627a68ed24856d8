"""`dilemmas compile`: ask an agent once after every history, and keep what it answers as a small table.

dilemmas compile tit_for_tat --game prisoners_dilemma
dilemmas compile miniature-student --adapter run/adapter --game stag_hunt --context business --out tuned.json
"""

import json
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import click
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from dilemmas.agents.models.model_files import BUILT_IN, names_model
from dilemmas.agents.strategies.catalogue import FAMILIES, GROUPS, STRATEGIES, names_of, strategy
from dilemmas.agents.tables.histories import History, histories
from dilemmas.agents.tables.policy_table import PolicyTable, compile_agent
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import game_name, stage_game
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.names import UnknownNameError, alike, lookup
from dilemmas.envs.numbers import number
from dilemmas.envs.prompts.contexts import Context, built_in_contexts, context
from dilemmas.envs.prompts.prompts import choose_presentation
from dilemmas.envs.prompts.scenarios import KNOWN_GAMES, NEW_GAMES
from dilemmas.envs.prompts.templates import load_template

MOST_SHOWN = 100
"""A longer table is cut on the screen; the file has all of it."""
NAMES = tuple(name for rows in (STRATEGIES, GROUPS, FAMILIES) for entry in rows for name in names_of(entry))
MISTYPED = 0.6
"""How much like a strategy's or a built-in model's an unknown name has to be not to pass for a hub id."""
LEAST_MASS = 0.5
"""Below it most replies are something else than a choice, and a warning is due."""


class CompileError(InputError):
    """An agent, payoffs or a file that cannot be used."""


def choose_game(name: str, payoffs: str) -> StageGame:
    """A game with payoffs of the study's scenarios (``study``), of the catalogue (``default``), or ``T=5,R=3,P=1,S=0``.

    Of a game whose own payoffs are given in part, the others are the catalogue's.
    """
    if payoffs == "study":
        return lookup("game", game_name(name), {**KNOWN_GAMES, **NEW_GAMES}, "the study (see --payoffs)")
    options = {} if payoffs == "default" else dict(_option(part) for part in payoffs.split(","))
    return stage_game(name, **options)


def _option(text: str) -> tuple[str, float]:
    """``T=5`` as a name and a number, whole where it is written so."""
    key, _, value = text.partition("=")
    for kind in (int, float):
        try:
            return key.strip(), kind(value)
        except ValueError:
            continue
    raise CompileError(f"--payoffs: '{text}'; needs study, default, or options such as T=5,R=3,P=1,S=0")


def is_strategy(name: str, players: int) -> bool:
    """Whether an agent's name is a strategy's rather than a model's; `UnknownNameError` where it looks mistyped.

    A hub id may be a single word, such as gpt2.
    """
    try:
        strategy(name, players)
    except UnknownNameError:
        if names_model(name):
            return False
        if close := alike(name, [*NAMES, *BUILT_IN], MISTYPED):
            way_out = "(or give a model's directory, or a hub id as owner/name or name@main)"
            raise UnknownNameError(f"unknown agent '{name}'; did you mean '{close[0]}'? {way_out}") from None
        return False
    return True


def compile_model(
    model: str,
    adapter: str | None,
    game: StageGame,
    memory: int,
    framing: Context,
    template: str,
    shuffle_labels: bool,
    device: str,
) -> PolicyTable:
    """The table of a language model, from its own probabilities of the labels."""
    from dilemmas.agents.models.language_model import LanguageModelAgent
    from dilemmas.agents.models.local import load_backend

    words = load_template(template)
    backend = load_backend(model, adapter, device)
    agent = LanguageModelAgent(backend, framing, words, shuffle_labels=shuffle_labels)
    return compile_agent(agent, game, memory, model=backend.fingerprint, context=framing.name)


def default_path(table: PolicyTable) -> Path:
    """A file name made of agent, game and context."""
    parts = (table.origin.agent, table.game.name, table.origin.context)
    return Path("-".join(re.sub(r"[^\w.+-]+", "_", part) for part in parts if part) + ".json")


def keep(table: PolicyTable, path: Path, force: bool) -> None:
    """Write the file; over anything but the same table only with `force`."""
    if path.exists() and not force and not _holds(path, table):
        raise CompileError(f"{path} is there and is another table; choose another --out, or --force to overwrite it")
    path.parent.mkdir(parents=True, exist_ok=True)
    table.save(path)


def _holds(path: Path, table: PolicyTable) -> bool:
    """Whether a file holds the table, whichever version of dilemmas asked."""
    try:
        there = PolicyTable.load(path)
    except InputError:
        return False
    return replace(there, origin=replace(there.origin, dilemmas=table.origin.dilemmas)) == table


def as_rich(table: PolicyTable) -> Group:
    """The table for a terminal of 60 columns or more."""
    labels = choose_presentation(load_template("study"), table.game).labels
    shown = Table(box=None, pad_edge=False)
    shown.add_column("history")
    for heading in (*(f"P({label})" for label in labels), *(["mass"] if table.masses else [])):
        shown.add_column(heading, justify="right")
    masses = [(mass,) for mass in table.masses] if table.masses else [()] * len(table.rows)
    asked = zip(histories(table.game, table.memory), table.rows, masses, strict=True)
    for history, row, mass in islice(asked, MOST_SHOWN):
        shown.add_row(history_text(history, labels), *(f"{p:.3f}" for p in (*row, *mass)))
    return Group(Text(_title(table), style="bold"), "", shown, "", Text(_caption(table), style="dim"))


def history_text(history: History, labels: tuple[str, ...]) -> Text:
    """``CC DC`` for two rounds; with several others and two actions, ``C+2`` is C and two of the others C."""
    return Text(" ".join(_round_text(joint, labels) for joint in history) or "none")


def _round_text(joint: Joint, labels: tuple[str, ...]) -> str:
    mine, *theirs = joint
    if len(labels) == 2 and len(theirs) > 1:
        return f"{labels[mine]}+{theirs.count(0)}"
    return ("" if len(labels) == 2 else "/").join(labels[action] for action in joint)


def _title(table: PolicyTable) -> str:
    options = dict(table.document()["game"])
    name = options.pop("name")
    payoffs = ", ".join(f"{key}={_value(value)}" for key, value in options.items())
    title = f"{table.origin.agent} in {name} ({payoffs})"
    return f"{title}, context {table.origin.context}" if table.origin.context else title


def _value(value: Any) -> str:
    return number(value) if isinstance(value, int | float) else str(value)


def _caption(table: PolicyTable) -> str:
    counted = table.game.n_players > 2 and table.game.n_actions == 2
    then = "+ how many of the others chose C" if counted else "first, then the other's"
    mass = "; mass: probability that a reply starts with a label at all" if table.masses else ""
    ways = "; the mean over all assignments and orders of the labels" if table.origin.shuffled else ""
    cut = f"; {len(table.rows) - MOST_SHOWN} more rows in the file" if len(table.rows) > MOST_SHOWN else ""
    return f"history: own action {then}, oldest round first{mass}{ways}{cut}"


@click.command()
@click.argument("agent")
@click.option("--game", required=True, help="Name of the game, such as prisoners_dilemma.")
@click.option("--context", "context_name", help="Social context, such as business; a model needs one.")
@click.option("--memory", type=click.IntRange(0), default=1, show_default=True, help="Rounds to look back.")
@click.option("--payoffs", default="study", show_default=True, help="study, default, or T=5,R=3,P=1,S=0.")
@click.option("--adapter", help="LoRA adapter on top of a model.")
@click.option("--template", default="study", show_default=True, help="Prompt template, or a .toml file.")
@click.option("--shuffle-labels", is_flag=True, help="Take the mean over all assignments and orders of the labels.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1 or auto.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="[default: AGENT-GAME-CONTEXT.json]")
@click.option("--force", is_flag=True, help="Overwrite another table.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as in its file.")
def command(
    agent: str,
    game: str,
    context_name: str | None,
    memory: int,
    payoffs: str,
    adapter: str | None,
    template: str,
    shuffle_labels: bool,
    device: str,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Turn an agent into a small policy table that needs no torch.

    AGENT is a strategy, a built-in model (miniature-teacher, miniature-student), or a model's directory or hub id.
    """
    stage = choose_game(game, payoffs)
    framing = None if context_name is None else context(context_name)
    if is_strategy(agent, stage.n_players):
        if adapter is not None or shuffle_labels:
            option = "--shuffle-labels" if adapter is None else f"--adapter '{adapter}'"
            raise CompileError(f"{option}: '{agent}' is a strategy; adapters and labels belong to models")
        table = compile_agent(strategy(agent, stage.n_players), stage, memory, context=context_name)
    elif framing is None:
        told = f"'{agent}' is no strategy, such as tit_for_tat or random(0.3)"
        raise CompileError(f"{told}; a model needs a --context, one of {', '.join(built_in_contexts())}")
    else:
        table = compile_model(agent, adapter, stage, memory, framing, template, shuffle_labels, device)
    path = out or default_path(table)
    keep(table, path, force)
    if as_json:
        click.echo(json.dumps(table.document()))
    else:
        Console(highlight=False).print(as_rich(table))
    if table.masses and min(table.masses) < LEAST_MASS:
        told = f"only {min(table.masses):.3f} of the model's replies start with a label"
        click.echo(f"warning: {told} after some history; the table says little about the others", err=True)
    click.echo(f"{path}", err=True)
