"""`dilemmas compile`: write the policy table of an agent, its action probabilities after each history.

dilemmas compile tit_for_tat --game prisoners_dilemma
dilemmas compile miniature-student+run/adapter --game stag_hunt --context business --out tuned.json
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

import click
from rich.console import Group
from rich.text import Text

from dilemmas.agents.roster import Framing, make_agent
from dilemmas.agents.specifications import parse_spec
from dilemmas.agents.tables.compilation import TellProgress, compile_agent
from dilemmas.agents.tables.histories import History, histories
from dilemmas.agents.tables.policy_table import PolicyTable
from dilemmas.agents.tables.table_file import load_table, save_table
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.stage_game import Joint, StageGame
from dilemmas.envs.numbers import tell_number
from dilemmas.envs.prompts.longest import longest_view
from dilemmas.envs.prompts.prompts import choose_presentation
from dilemmas.envs.prompts.templates import load_template
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.group import ComputingCommand
from dilemmas.experiments.commands.options import (
    Location,
    check_overwrite,
    force_option,
    framing_options,
    game_option,
    json_option,
    print_json,
    set_option,
)
from dilemmas.experiments.reporting.progress import MeasuredTask, progress_bar
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_table import number_column, terminal_table, word_column
from dilemmas.experiments.reporting.terminal_text import echo

MOST_SHOWN = 100
"""Maximum number of rows on the screen; the file has all of them."""
LEAST_MASS = 0.5
"""Label mass below which a warning is printed, because most replies are not a choice."""


class CompileError(InputError):
    """An agent that cannot be compiled."""


def compiled(spec: str, game: StageGame, memory: int, framing: Framing | None) -> PolicyTable:
    """Compile an agent; the table of a language model has its probabilities of the labels."""
    parsed = parse_spec(spec, game.n_players, game)
    if parsed.kind == "table":
        raise CompileError(f"'{parsed.text}' is already a policy table")
    if parsed.kind == "axelrod":
        raise CompileError(
            f"'{parsed.text}' may depend on the whole history, which a table of the last rounds cannot represent"
        )
    agent = make_agent(spec, game.n_players, framing, game, exact=True)
    model = agent.describe().parameters.get("fingerprint")
    context = None if framing is None else framing.context
    if parsed.kind != "model":
        table = compile_agent(agent, game, memory, context=context)
    else:
        from dilemmas.agents.models.language_model import LanguageModelAgent

        asked = cast(LanguageModelAgent, agent)
        asked.check([longest_view(asked.template, game, memory)])
        with asking() as tell:
            table = compile_agent(agent, game, memory, model=model, context=context, tell=tell)
    return replace(table, origin=replace(table.origin, agent=parsed.own_name or table.origin.agent))


@contextmanager
def asking() -> Iterator[TellProgress]:
    """A function that shows how many histories a model has been asked about; a long duration is announced."""
    with progress_bar(SafeConsole(stderr=True)) as bar:
        yield MeasuredTask(bar, "the model is asked about each history", "take a smaller --memory or model").follow


def default_path(table: PolicyTable) -> Path:
    """A file name from agent, game and context."""
    parts = (table.origin.agent, table.game.name, table.origin.context)
    return Path("-".join(re.sub(r"[^\w.+-]+", "_", part) for part in parts if part) + ".json")


def keep(table: PolicyTable, path: Path, force: bool) -> None:
    """Write the file; a file with another content is overwritten only with `force`."""
    check_overwrite(path, "--out", force or _holds(path, table))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_table(table, path)


def _holds(path: Path, table: PolicyTable) -> bool:
    """Whether a file contains the table, regardless of the version of dilemmas that wrote it."""
    if not path.is_file():
        return False
    try:
        there = load_table(path)
    except InputError:
        return False
    return replace(there, origin=replace(there.origin, dilemmas=table.origin.dilemmas)) == table


def as_rich(table: PolicyTable) -> Group:
    """The table for a terminal of 60 columns or more."""
    labels = choose_presentation(load_template("study"), table.game).labels
    headings = [*(f"P({label})" for label in labels), *(["mass"] if table.masses else [])]
    masses = [(mass,) for mass in table.masses] if table.masses else [()] * len(table.rows)
    asked = zip(histories(table.game, table.memory), table.rows, masses, strict=True)
    rows = [
        [history_text(history, labels), *(f"{p:.3f}" for p in (*row, *mass))]
        for history, row, mass in islice(asked, MOST_SHOWN)
    ]
    shown = terminal_table([word_column("history"), *map(number_column, headings)], rows)
    return Group(Text(_title(table), style="bold"), "", shown, "", Text(_caption(table), style="dim"))


def history_text(history: History, labels: tuple[str, ...]) -> str:
    """``CC DC`` for two rounds; with several others and two actions, ``C+2`` is C and two of the others C."""
    return " ".join(_round_text(joint, labels) for joint in history) or "none"


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
    return tell_number(value) if isinstance(value, int | float) else str(value)


def _caption(table: PolicyTable) -> str:
    counted = table.game.n_players > 2 and table.game.n_actions == 2
    then = "+ number of others that chose C" if counted else "first, then the other's"
    mass = "; mass: probability that a reply starts with a label" if table.masses else ""
    balanced = table.origin.presentation == "counterbalanced"
    ways = "; the mean over all assignments and orders of the labels" if balanced else ""
    cut = f"; {len(table.rows) - MOST_SHOWN} more rows in the file" if len(table.rows) > MOST_SHOWN else ""
    return f"history: own action {then}, oldest round first{mass}{ways}{cut}"


@dataclass(frozen=True, slots=True)
class CompiledFile:
    """A policy table and its file."""

    table: PolicyTable
    """The table."""
    path: Path
    """Path of the file."""


def _show(found: CompiledFile, as_json: bool) -> None:
    table = found.table
    if as_json:
        print_json(table.document())
    else:
        SafeConsole().print(as_rich(table))
    if table.masses and min(table.masses) < LEAST_MASS:
        least = f"only {min(table.masses):.3f} of the model's replies start with a label"
        echo(f"warning: {least} after at least one history; the table does not describe the other replies", err=True)
    echo(f"{found.path}", err=True)


@click.command(cls=ComputingCommand, show=_show)
@click.argument("agent", shell_complete=completion.agent)
@game_option()
@set_option
@framing_options(None)
@click.option(
    "--memory",
    type=click.IntRange(0, 100),
    default=1,
    show_default=True,
    help="Number of previous rounds in a history.",
)
@click.option(
    "--out",
    type=Location(dir_okay=False),
    show_default="AGENT-GAME-CONTEXT.json",
    help="File to write.",
)
@force_option("Overwrite a file with other content.")
@json_option
def command(
    agent: str,
    game: str,
    settings: Mapping[str, Any],
    framing: Framing | None,
    memory: int,
    out: Path | None,
    force: bool,
) -> CompiledFile:
    """Write the policy table of an agent: P(action | last rounds). The table needs no torch; it plays in tournaments
    with the same payoffs, and in agent-based models.

    \b
    AGENT:
      tit_for_tat, 'random(0.3)'  a strategy (see dilemmas tournament strategies)
      MODEL, MODEL+ADAPTER        a language model: directory, GGUF file, hub id or built-in
                                  (miniature-teacher, miniature-student)
      uniform                     random actions
      NAME=AGENT                  any of these under another name
    """
    table = compiled(agent, stage_game(game, **settings), memory, framing)
    path = out or default_path(table)
    keep(table, path, force)
    return CompiledFile(table, path)
