"""`dilemmas replay`: does a recorded trajectory come out again, step by step?"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from dilemmas.agents.matches.trajectory import find_trajectories, read_trajectory
from dilemmas.envs.names import lookup
from dilemmas.experiments.replaying.replay import Models, Result, replay_file
from dilemmas.experiments.reporting.terminal_text import visible

SHOWN = 10
"""Differences that are printed; the first ones."""


WIDEST = 300
"""Characters of a value that are printed."""


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--models", is_flag=True, help="Load the language models too, and let them answer again.")
@click.option(
    "--model",
    "places",
    multiple=True,
    metavar="NAME=PATH",
    help="Where a model of the record lies, if its name does not say; implies --models.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(path: Path, models: bool, places: tuple[str, ...], as_json: bool) -> int:
    """Play recorded matches once more and compare everything. PATH is a run folder or a *.trajectory.jsonl file.

    Observations, payoffs and endings must come out again, every action must be drawn again from its probabilities,
    strategies must decide again as they did, and prompts and replies must be made and read again as they were.
    Exit code 0: all came out again; 1: something did not; 2: a file cannot be used.
    """
    files = find_trajectories(path)
    given = dict(_place(text, files) for text in places)
    loaded = Models(given) if models or places else None
    result = Result()
    with Console(stderr=True).status("reading") as status:
        for file in files:
            for differences in replay_file(file, loaded, result):
                result.differences += [(str(file), difference) for difference in differences]
                status.update(f"{result.matches} matches, {len(result.differences)} differences")
    click.echo(json.dumps(result.as_table()) if as_json else "\n".join(report(result)))
    return 1 if result.differences else 0


def _place(text: str, files: Sequence[Path]) -> tuple[str, str]:
    """NAME=PATH as a pair, the name one of those in the files."""
    name, equals, place = text.partition("=")
    if not (name and equals and place):
        raise click.BadParameter(f"{text!r}; needs NAME=PATH", param_hint="--model")
    players = [player for file in files for player in read_trajectory(file)[0].agents]
    names = {player.name: player for player in players if player.kind == "language_model"}
    return lookup("model", name, names, "the record").name, place


def report(result: Result) -> Iterator[str]:
    """The result in lines of text, the first differences first."""
    for name, found in result.differences[:SHOWN]:
        player = f", {found.player}" if found.player else ""
        yield f"{name}: match {found.match}, round {found.round}{player}: {found.field}"
        yield f"  recorded  {excerpt(found.recorded, found.replayed)}"
        yield f"  replayed  {excerpt(found.replayed, found.recorded)}"
    if len(result.differences) > SHOWN:
        yield f"and {len(result.differences) - SHOWN} more differences"
    if result.not_asked:
        names = ", ".join(sorted(result.not_asked))
        yield f"not asked again, for the header does not say how to make them: {names}"
    verdict = "NOT all of it came out again" if result.differences else "all of it came out again"
    yield f"files {result.files}, matches {result.matches}, rounds {result.rounds}: {verdict}"


def excerpt(value: Any, other: Any) -> str:
    """A value in one line, a long text from a little before it parts from `other`."""
    text, against = str(value), str(other)
    parting = next((i for i, (a, b) in enumerate(zip(text, against, strict=False)) if a != b), len(against))
    start = max(0, parting - WIDEST // 4) if len(text) > WIDEST else 0
    cut = text[start : start + WIDEST]
    shown = visible(cut).replace("\n", "\N{SYMBOL FOR NEWLINE}")
    return f"{'...' if start else ''}{shown}{'...' if start + WIDEST < len(text) else ''}"
