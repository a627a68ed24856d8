"""`dilemmas tournament`: play one, look at it again, and let its strategies evolve."""

import json
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dilemmas.agents.engines.dispatch import ENGINES, EXACT
from dilemmas.agents.roster import Framing, expanded, sets
from dilemmas.agents.strategies.catalogue import listing
from dilemmas.envs.names import lookup
from dilemmas.experiments.commands import evolve as evolve_command
from dilemmas.experiments.reporting.parsing import listed, parsed
from dilemmas.experiments.reporting.progress import add_task, progress_bar
from dilemmas.experiments.run_folder import read_json
from dilemmas.experiments.tournaments.report import print_tables
from dilemmas.experiments.tournaments.run_folder import (
    FORMAT,
    ROWS,
    SETTINGS,
    VERSION,
    as_data,
    play_tournament,
    read_rows,
    settings_in,
    told,
    write_matches,
)
from dilemmas.experiments.tournaments.standings import standings
from dilemmas.experiments.tournaments.tournament import GRAPHS, Settings, Tournament, TournamentError
from dilemmas.experiments.tournaments.workers import EXECUTORS

ROUNDS = 200
"""Rounds of a match, where nothing is said of its length; as in Axelrod's first tournament."""


@click.group()
def command() -> None:
    """Strategies, tables and language models play each other: exactly where theory allows, sampled elsewhere."""


command.add_command(evolve_command.command, "evolve")


@command.command(short_help="Play a tournament, or go on with one.")
@click.option("--game", default="prisoners_dilemma", show_default=True, help="Name of the game; `dilemmas games`.")
@click.option("--agents", "words", required=True, help="Who plays, with commas between.")
@click.option("--set", "settings", multiple=True, metavar="OPTION=VALUE", help="Of game or match: T=6.")
@click.option("--rounds", help=f"Rounds of a match, or LEAST-MOST, drawn for each.  [default: {ROUNDS}]")
@click.option("--continuation", type=float, help="Probability that a round is followed by another one.")
@click.option("--noise", type=float, default=0.0, show_default=True, help="Probability that an action is swapped.")
@click.option("--repetitions", type=click.IntRange(1), default=10, show_default=True, help="Of sampled matches.")
@click.option("--self-play/--no-self-play", default=True, show_default=True, help="Whether agents meet themselves.")
@click.option("--pairs", help="Only these meet: a:b,c:d; more names where more play at a table.")
@click.option(
    "--graph",
    type=click.Choice(GRAPHS),
    help="Only neighbours meet, in the order of the agents.",
)
@click.option("--sample", type=click.IntRange(1), help="Draw so many of the groups.")
@click.option("--engine", default="auto", show_default=True, help=f"auto or {', '.join(ENGINES)}.")
@click.option("--context", default="team", show_default=True, help="Social context in which models are asked.")
@click.option("--template", default="study", show_default=True, help="Prompt template, or a .toml file.")
@click.option("--memory", type=click.IntRange(0), default=1, show_default=True, help="Rounds that models are shown.")
@click.option("--device", default="auto", show_default=True, help="For models: cpu, cuda, cuda:1 or auto.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes; same results.")
@click.option("--executor", type=click.Choice(EXECUTORS), default="process", show_default=True)
@click.option("--ray-address", default="", help="Of a running Ray cluster, or auto.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder to keep everything in.")
@click.option("--force", is_flag=True, help="Delete what --out holds and begin anew.")
@click.option("--dry-run", is_flag=True, help="Say what would be played, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def run(
    game: str,
    words: str,
    settings: tuple[str, ...],
    rounds: str | None,
    continuation: float | None,
    noise: float,
    repetitions: int,
    self_play: bool,
    pairs: str | None,
    graph: str | None,
    sample: int | None,
    engine: str,
    context: str,
    template: str,
    memory: int,
    device: str,
    seed: int,
    workers: int,
    executor: str,
    ray_address: str,
    out: Path | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Play a tournament. With --out it is kept, and the same command goes on where it was stopped.

    --agents takes strategies by name (dilemmas tournament strategies), some with numbers, such as random(0.3);
    @first_tournament, @automata, @all or @groups; policy tables, tuned.json; models, as MODEL or MODEL+ADAPTER;
    axelrod:NAME; uniform; and any of them under a name of your own, NAME=AGENT.
    """
    start = time.monotonic()
    asked = Settings(
        game=game,
        agents=expanded(listed(words)),
        options=match_options(settings, rounds, continuation, noise, memory),
        repetitions=repetitions,
        self_play=self_play,
        meetings=None if pairs is None else tuple(tuple(group.split(":")) for group in listed(pairs)),
        graph=graph,
        sample=sample,
        engine=engine,
        seed=seed,
        framing=Framing(context, template, device),
    )
    tournament = Tournament(asked, records=None if out is None else out / "matches")
    if dry_run:
        return plan(tournament, as_json)
    if force and out is not None and tournament.fixtures and settings_in(out) is not None:
        shutil.rmtree(out)
    with progress_bar(Console(stderr=True)) as bar:
        task = add_task(bar, "playing, percent done", 100)
        table = play_tournament(
            tournament,
            out,
            workers=workers,
            executor=executor,
            address=ray_address,
            tell=lambda done, work: bar.update(task, completed=100 * done / work),
        )
    print_data({**as_data(told(tournament), table), "seconds": round(time.monotonic() - start, 3)}, as_json)
    if out is not None:
        click.echo(f"{out / 'report.html'}", err=True)


@command.command("strategies", short_help="List the strategies that are built in.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def strategies(name: str | None, as_json: bool) -> None:
    """List the strategies that are built in; or those whose names and sources hold NAME, or those of a set.

    Sets are @first_tournament, @automata, @all and @groups.
    """
    rows = listing()
    if name and name.startswith("@"):
        members = lookup("set", name, sets())
        rows = [row for row in rows if row.name in members]
    elif name:
        rows = [row for row in rows if name.lower() in str(row).lower()]
    if as_json:
        return click.echo(json.dumps([row._asdict() for row in rows], ensure_ascii=False))
    table = Table(box=None, pad_edge=False)
    for heading in ("strategy", "players", "states", "also", "source"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "strategy")
    for row in rows:
        states = "" if row.states is None else str(row.states)
        table.add_row(*map(Text, (row.name, row.players, states, ", ".join(row.aliases), row.source)))
    Console().print(table)
    click.echo(f"{len(rows)} strategies; sets of them: {', '.join(sets())}", err=True)


@command.command(short_help="Print the tables of a tournament once more.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def show(folder: Path, as_json: bool) -> None:
    """Print the tables of a tournament once more, of as much as has been played."""
    print_data(kept_data(folder), as_json)


@command.command(short_help="Write every match to a CSV or Parquet file.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A .csv or .parquet file.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def export(folder: Path, out: Path, force: bool) -> None:
    """Write every match to a table: a line per repetition and player."""
    if out.exists() and not force:
        raise TournamentError(f"{out} is there; choose another --out, or --force to overwrite it")
    _begun(folder)
    write_matches(read_rows(folder / ROWS), out)


def kept_data(folder: Path) -> dict[str, Any]:
    """The results in a folder; of what has been played so far where it is not complete."""
    results, begun = folder / "results.json", _begun(folder)
    if results.is_file():
        data: dict[str, Any] = read_json(results)
        if not isinstance(data, dict) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
            raise TournamentError(f"{results} holds no results of a tournament; repeat the command that began it")
        return data
    rows = list(read_rows(folder / ROWS)) if (folder / ROWS).is_file() else []
    if not rows:
        raise TournamentError(f"{folder}: nothing has been played yet; repeat the command that began it")
    if not {name for row in rows for name in row.fixture.group} <= set(begun["players"]):
        raise TournamentError(f"{folder / ROWS} names players that {folder / SETTINGS} does not")
    click.echo(f"{folder} is not complete; this is what has been played", err=True)
    return as_data(begun, standings(begun["players"], rows, begun["seed"], begun["alike"]))


def _begun(folder: Path) -> dict[str, Any]:
    """The settings of the tournament in a folder; `TournamentError` where there is none."""
    if (settings := settings_in(folder)) is None:
        raise TournamentError(f"{folder} holds no tournament (no {SETTINGS})")
    return settings


def match_options(
    settings: tuple[str, ...], rounds: str | None, continuation: float | None, noise: float, memory: int
) -> dict[str, Any]:
    """Options of the game and of the match as `rules_of` takes them."""
    options = dict(map(parsed, settings))
    asked = {"noise": noise or None, "continuation": continuation, "rounds": None if rounds is None else span(rounds)}
    for name, value in {**asked, "memory": None if memory == 1 else memory}.items():
        if value is not None and name in options:
            raise TournamentError(f"--{name} and --set {name} both say what {name} is; leave one out")
        if value is not None:
            options[name] = value
    if "rounds" not in options and options.get("continuation", 1.0) == 1.0:
        options["rounds"] = ROUNDS
    return options


def span(text: str) -> int | tuple[int, int]:
    """``200`` or ``100-300``."""
    try:
        least, dash, most = text.partition("-")
        return (int(least), int(most)) if dash else int(least)
    except ValueError:
        raise TournamentError(f"--rounds {text}: needs a whole number, or two of them as LEAST-MOST") from None


def plan(tournament: Tournament, as_json: bool) -> None:
    """What would be played."""
    engines = Counter(fixture.engine for fixture in tournament.fixtures)
    matches = sum(fixture.count for fixture in tournament.fixtures if fixture.engine not in EXACT)
    if as_json:
        counts = {"groups": len(tournament.groups), "engines": engines, "matches": matches}
        return click.echo(json.dumps({"settings": told(tournament), **counts}))
    click.echo(f"{len(tournament.players)} agents: {', '.join(tournament.players)}")
    click.echo(f"{len(tournament.groups):,} groups; {matches:,} matches are sampled")
    for engine, count in engines.items():
        click.echo(f"  {engine}: {count:,}")


def print_data(data: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False))
    else:
        print_tables(Console(), data)
