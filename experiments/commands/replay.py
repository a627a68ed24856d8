"""`dilemmas replay`: play recorded matches again and compare every step with the record."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from dilemmas.agents.matches.trajectory import find_trajectories, read_trajectory
from dilemmas.agents.visible_text import visible
from dilemmas.envs.names import lookup
from dilemmas.experiments.commands.options import Location, json_option, print_json
from dilemmas.experiments.replaying.replay import Models, Result, replay_file
from dilemmas.experiments.reporting.safe_console import SafeConsole
from dilemmas.experiments.reporting.terminal_text import echo

SHOWN = 10
"""Number of differences that are printed, the first ones."""
WIDEST = 300
"""Maximum number of characters of a value that are printed."""


@click.command()
@click.argument("path", type=Location())
@click.option("--models", is_flag=True, help="Load the language models too, and compare their answers.")
@click.option(
    "--model",
    "places",
    multiple=True,
    metavar="NAME=MODEL",
    help="New place of a recorded model, as MODEL or MODEL+ADAPTER; repeatable; implies --models.",
)
@json_option
def command(path: Path, models: bool, places: tuple[str, ...], as_json: bool) -> int:
    """Verify recorded matches by playing them again.

    PATH is a run folder or a *.trajectory.jsonl file. Observations, payoffs, endings, actions drawn from the recorded
    probabilities, decisions of strategies, prompts and parsed replies are compared. Exit code 0: all are reproduced; 1:
    some differ; 2: a file cannot be used.
    """
    files = find_trajectories(path)
    given = dict(_place(text, files) for text in places)
    loaded = Models(given) if models or places else None
    result = Result()
    with SafeConsole(stderr=True).status("reading") as status:
        for file in files:
            for differences in replay_file(file, loaded, result):
                result.differences += [(str(file), difference) for difference in differences]
                status.update(f"{result.matches} matches, {len(result.differences)} differences")
    if as_json:
        print_json(result.as_table())
    else:
        echo("\n".join(report(result)))
    return 1 if result.differences else 0


def _place(text: str, files: Sequence[Path]) -> tuple[str, str]:
    """NAME=MODEL as a pair; the name must occur in the files."""
    name, equals, place = text.partition("=")
    if not (name and equals and place):
        raise click.BadParameter(f"{text!r}; needs NAME=MODEL", param_hint="--model")
    players = [player for file in files for player in read_trajectory(file)[0].agents]
    names = {player.name: player for player in players if player.kind == "language_model"}
    return lookup("model", name, names, "the record").name, place


def report(result: Result) -> Iterator[str]:
    """The result in lines of text."""
    for name, found in result.differences[:SHOWN]:
        player = f", {found.player}" if found.player else ""
        yield f"{name}: match {found.match}, round {found.round}{player}: {found.field}"
        yield f"  recorded  {excerpt(found.recorded, found.replayed)}"
        yield f"  replayed  {excerpt(found.replayed, found.recorded)}"
    if len(result.differences) > SHOWN:
        yield f"and {len(result.differences) - SHOWN} more differences"
    if result.not_asked:
        names = ", ".join(sorted(result.not_asked))
        yield f"decisions not verified, because the header does not describe how to rebuild the agent: {names}"
    verdict = "NOT reproduced" if result.differences else "reproduced"
    yield f"files {result.files}, matches {result.matches}, rounds {result.rounds}: {verdict}"


def excerpt(value: Any, other: Any) -> str:
    """A value on one line; for a long text, the part around the first difference from `other`."""
    text, against = str(value), str(other)
    parting = next((i for i, (a, b) in enumerate(zip(text, against, strict=False)) if a != b), len(against))
    start = max(0, parting - WIDEST // 4) if len(text) > WIDEST else 0
    cut = text[start : start + WIDEST]
    shown = visible(cut).replace("\n", "\N{SYMBOL FOR NEWLINE}")
    return f"{'...' if start else ''}{shown}{'...' if start + WIDEST < len(text) else ''}"
