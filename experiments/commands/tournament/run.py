"""`dilemmas tournament run`: play a tournament, exact where possible and otherwise sampled."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from dilemmas.agents.engines.dispatch import ENGINES, EXACT
from dilemmas.agents.roster import Framing, expanded
from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.commands import completion
from dilemmas.experiments.commands.group import ComputingCommand
from dilemmas.experiments.commands.options import (
    Finite,
    Location,
    degree_option,
    force_option,
    framing_options,
    game_option,
    json_option,
    print_json,
    seed_option,
    set_option,
    with_options,
)
from dilemmas.experiments.commands.tournament.show import print_results
from dilemmas.experiments.reporting.parsing import listed
from dilemmas.experiments.reporting.progress import add_task, follow_task, progress_bar
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo
from dilemmas.experiments.tournaments.run_folder import described, play_tournament, settings_data, tournament_data
from dilemmas.experiments.tournaments.settings import GRAPHS, MOST, Settings, TournamentError
from dilemmas.experiments.tournaments.tournament import Tournament
from dilemmas.experiments.tournaments.workers import EXECUTORS, check_executor, check_people

ROUNDS = 200
"""Rounds of a match if neither rounds nor a continuation probability are given; as in Axelrod's first tournament."""

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Meetings:
    """Which groups of agents play."""

    self_play: bool
    pairs: tuple[tuple[str, ...], ...] | None
    graph: str | None
    degree: int | None
    sample: int | None


def match_options(function: Function) -> Function:
    """Game and match, passed as `game` and as the mapping `options` that `rules_of` takes."""

    @wraps(function)
    def call(
        *,
        settings: Mapping[str, Any],
        rounds: str | None,
        continuation: float | None,
        noise: float,
        memory: int,
        **others: Any,
    ) -> Any:
        return function(options=merged(settings, rounds, continuation, noise, memory), **others)

    chance = Finite(0, 1)
    return with_options(
        call,
        (
            game_option("prisoners_dilemma"),
            set_option,
            click.option(
                "--rounds",
                metavar="N or MIN-MAX",
                show_default=f"{ROUNDS}; no limit with --continuation",
                help="Number of rounds per match, or the range from which it is drawn.",
            ),
            click.option(
                "--continuation",
                type=chance,
                show_default="1",
                help="Continuation probability: that a round is followed by another.",
            ),
            click.option(
                "--noise",
                type=chance,
                default=0.0,
                show_default=True,
                help="Trembling hand: probability that an action is replaced by another.",
            ),
            click.option(
                "--memory",
                type=click.IntRange(0, 10_000),
                default=1,
                show_default=True,
                help="Number of previous rounds shown to language models.",
            ),
        ),
    )


def meeting_options(function: Function) -> Function:
    """Which groups of agents play, passed as `meetings`."""

    @wraps(function)
    def call(
        *, self_play: bool, pairs: str | None, graph: str | None, degree: int | None, sample: int | None, **others: Any
    ) -> Any:
        groups = None if pairs is None else tuple(tuple(group.split(":")) for group in listed(pairs))
        return function(meetings=Meetings(self_play, groups, graph, degree, sample), **others)

    return with_options(
        call,
        (
            click.option(
                "--self-play/--no-self-play",
                default=True,
                show_default=True,
                help="Whether agents play against themselves.",
            ),
            click.option(
                "--pairs",
                metavar="A:B,C:D,...",
                show_default="all",
                help="Only these groups play; A:B:C,... in games of three.",
            ),
            click.option(
                "--graph",
                metavar="GRAPH",
                shell_complete=completion.graphs,
                show_default="all",
                help=f"Only neighbours play, in the order of the agents: {', '.join(GRAPHS)}.",
            ),
            degree_option("--graph"),
            click.option(
                "--sample",
                type=click.IntRange(1, MOST),
                show_default="all",
                help="Draw this many groups at random, each as often as it forms; intervals include this chance.",
            ),
        ),
    )


def worker_options(function: Function) -> Function:
    """Workers, passed as the mapping `work`, arguments of `play_tournament`."""

    @wraps(function)
    def call(*, workers: int, executor: str, ray_address: str, **others: Any) -> Any:
        return function(work={"workers": workers, "executor": executor, "address": ray_address}, **others)

    return with_options(
        call,
        (
            click.option(
                "--workers",
                type=click.IntRange(1, 1000),
                default=1,
                show_default=True,
                help="Number of processes or Ray tasks; does not affect the results.",
            ),
            click.option(
                "--executor",
                type=click.Choice(EXECUTORS),
                default="process",
                show_default=True,
                help="Where the workers run: on this machine, or on a Ray cluster.",
            ),
            click.option("--ray-address", default="", help="Address of a running Ray cluster: HOST:PORT or auto."),
        ),
    )


@dataclass(frozen=True, slots=True)
class FinishedTournament:
    """A tournament that has been played."""

    data: dict[str, Any]
    """Its results, as they are printed, with the seconds that it took."""
    answered: list[str]
    """What the language models in it were asked, and what was known; a line for each."""
    folder: Path | None
    """Its folder."""


def _show(found: FinishedTournament | Tournament, as_json: bool) -> None:
    """Print results, or the plan of a tournament that is not to be played."""
    if isinstance(found, Tournament):
        return print_plan(found, as_json)
    print_results(found.data, as_json)
    for line in found.answered:
        echo(line, err=True)
    if found.folder is not None:
        echo(f"{found.folder / 'report.html'}", err=True)


@click.command(cls=ComputingCommand, show=_show, short_help="Play a tournament, or resume one.")
@click.option(
    "--agents",
    "specs",
    required=True,
    metavar="A,B,...",
    shell_complete=completion.agents,
    help="Agents, comma-separated; see above.",
)
@match_options
@click.option(
    "--repetitions",
    type=click.IntRange(1, 10_000_000),
    default=10,
    show_default=True,
    help="Sampled matches per group.",
)
@meeting_options
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    metavar="ENGINE",
    shell_complete=completion.engines,
    help=f"Engine of all matches: auto, {', '.join(ENGINES)}; auto chooses one for each group.",
)
@framing_options("team")
@seed_option("all matches")
@worker_options
@click.option("--out", type=Location(file_okay=False), help="Folder to write results and report to.")
@force_option("Delete the tournament in the folder --out and start again.")
@click.option("--dry-run", is_flag=True, help="Print the number of groups and matches, and exit.")
@json_option
def command(
    specs: str,
    game: str,
    options: Mapping[str, Any],
    repetitions: int,
    meetings: Meetings,
    engine: str,
    framing: Framing,
    seed: int,
    work: Mapping[str, Any],
    out: Path | None,
    force: bool,
    dry_run: bool,
) -> FinishedTournament | Tournament:
    """Play a tournament and print its tables. With --out all results are saved, and an interrupted tournament is
    resumed by repeating the command.

    \b
    Agents:
      tit_for_tat, 'random(0.3)'  a strategy (see dilemmas tournament strategies)
      @first_tournament           a set: also @automata, @all, @groups
      tuned.json                  a policy table (see dilemmas compile)
      MODEL, MODEL+ADAPTER        a language model: directory, GGUF file, hub id or built-in
      axelrod:NAME                a strategy of the Axelrod library
      uniform                     random actions
      human                       a person at this terminal
      NAME=AGENT                  any of these under another name
    """
    start = time.monotonic()
    settings = Settings(
        game=game,
        agents=participants(specs, game, options),
        options=options,
        repetitions=repetitions,
        self_play=meetings.self_play,
        meetings=meetings.pairs,
        graph=meetings.graph,
        degree=meetings.degree,
        sample=meetings.sample,
        engine=engine,
        seed=seed,
        framing=framing,
    )
    tournament = Tournament(settings, records=None if out is None else out / "matches")
    check_people(tournament, work["workers"], work["executor"])
    if dry_run:
        return tournament
    check_executor(work["executor"])
    with progress_bar(SafeConsole(stderr=True), shown=not tournament.people) as bar:
        table = play_tournament(tournament, out, **work, tell=partial(show_share, bar), again=force)
    data = tournament_data(described(tournament), table)
    seconds = round(time.monotonic() - start, 3)
    return FinishedTournament({**data, "seconds": seconds}, [one.hits for one in tournament.backends if one.hits], out)


def participants(specs: str, game: str, options: Mapping[str, Any]) -> tuple[str, ...]:
    """The agents of ``--agents``; says which members of sets cannot play the game."""
    agents, unable = expanded(listed(specs), rules_of(game, **options).stage)
    if unable:
        echo(f"left out of the sets, because they cannot play this game: {', '.join(unable)}", err=True)
    return agents


def show_share(bar: Progress, done: float, total: float) -> None:
    """Show the share of a tournament that is done; the first call, after all checks, announces the tournament."""
    task = bar.task_ids[0] if bar.task_ids else add_task(bar, "playing, percent done", 100)
    follow_task(bar, task, 100 * done / total, 100)


def merged(
    settings: Mapping[str, Any], rounds: str | None, continuation: float | None, noise: float, memory: int
) -> dict[str, Any]:
    """Options of game and match; `TournamentError` if one is given twice."""
    options = dict(settings)
    given = {"noise": noise or None, "continuation": continuation, "rounds": None if rounds is None else span(rounds)}
    for name, value in {**given, "memory": None if memory == 1 else memory}.items():
        if value is not None and name in options:
            raise TournamentError(f"--{name} and --set {name} both set {name}; leave one out")
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
        raise TournamentError(f"--rounds {text}: needs a whole number, or two of them as MIN-MAX") from None


def print_plan(tournament: Tournament, as_json: bool) -> None:
    """Print the agents and the number of groups and matches."""
    engines = Counter(fixture.engine for fixture in tournament.fixtures)
    matches = sum(fixture.count for fixture in tournament.fixtures if fixture.engine not in EXACT)
    if as_json:
        counts = {"groups": len(tournament.groups), "engines": engines, "matches": matches}
        return print_json({"settings": settings_data(tournament), **counts})
    echo(f"{len(tournament.agents)} agents: {', '.join(tournament.agents)}")
    echo(f"{len(tournament.groups):,} groups; {matches:,} matches are sampled")
    for engine, count in engines.items():
        echo(f"  {engine}: {count:,}")
