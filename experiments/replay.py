"""`understudy replay`: does a recorded trajectory come out again, step by step?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import pettingzoo  # type: ignore[import-untyped]
from rich.console import Console

import understudy.envs  # noqa: F401  # makes its environments known to PettingZoo
from understudy.agents.agent import Player
from understudy.agents.backend import Backend, ModelError, Remembering
from understudy.agents.match import Environment
from understudy.agents.record import RecordError
from understudy.agents.trajectory import Header, find_trajectories, read_trajectory
from understudy.envs.catalogue import lookup
from understudy.envs.errors import InputError
from understudy.experiments.plain_text import visible
from understudy.experiments.reenact import Difference, Witness, reenact, witness
from understudy.experiments.run import read_json

SHOWN = 10
"""Differences that are printed; the first ones."""
WIDEST = 300
"""Characters of a value that are printed."""


@dataclass(slots=True)
class Result:
    """What came of replaying files."""

    files: int = 0
    matches: int = 0
    rounds: int = 0
    differences: list[tuple[str, Difference]] = field(default_factory=list)
    """With the name of the file; of each match that did not come out again, those of the first such round."""
    not_asked: set[str] = field(default_factory=set)
    """Agents that could not be asked again, for their header does not say how to make them."""

    def as_table(self) -> dict[str, Any]:
        differences = [{"file": name, **asdict(difference)} for name, difference in self.differences]
        return {**asdict(self), "differences": differences, "not_asked": sorted(self.not_asked)}


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


def replay_file(path: Path, models: "Models | None", result: Result) -> Iterator[list[Difference]]:
    """Replay the matches of a file; yields the differences of each and counts in `result` what was done."""
    header, records = read_trajectory(path)
    witnesses = [_witness(path, header, player, models) for player in header.agents]
    pairs = zip(header.agents, witnesses, strict=True)
    result.not_asked.update(player.name for player, found in pairs if found is None)
    result.files += 1
    for record in records:
        result.matches += 1
        result.rounds += record.outcome.rounds
        env = make_environment(path, header)
        try:
            differences = reenact(env, header, record, witnesses)
        except InputError as error:
            raise RecordError(f"{path}, match {record.match} cannot be played: {error}") from error
        yield differences


def make_environment(path: Path, header: Header) -> Environment:
    """The environment that a header names; `RecordError` where PettingZoo cannot make it."""
    try:
        env: Environment = pettingzoo.make("parallel", header.environment, **header.options)
    except Exception as error:  # PettingZoo's errors and those of any environment
        raise RecordError(
            f"{path}, line 1: the environment '{header.environment}' cannot be made again: {error}"
        ) from error
    return env


class Models:
    """The language models of records, each loaded once and asked no question twice."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """`places`: where models lie, by name, if not where the record or its run folder says."""
        self._places = places
        self._loaded: dict[tuple[str, str | None], Backend] = {}

    def find(self, name: str, file: Path) -> Backend:
        """The model that a trajectory calls ``base`` or ``base+adapter``; an adapter may lie in its run folder."""
        from understudy.agents.backend_local import load_backend

        place = (self._places[name], None) if name in self._places else _place_in_run(name, file)
        if place not in self._loaded:
            try:
                self._loaded[place] = Remembering(load_backend(*place))
            except ModelError as error:
                raise ModelError(f"{error}; or say where it lies: --model {name}=PATH") from error
        return self._loaded[place]


def _place_in_run(name: str, file: Path) -> tuple[str, str | None]:
    """Model and adapter as the recipe and the folder of a trajectory's run know them; else what the name says."""
    base, plus, adapter = name.partition("+")
    run = next((folder for folder in file.resolve().parents if (folder / "recipe.json").is_file()), file.parent)
    asked = read_json(run / "recipe.json")["models"] if (run / "recipe.json").is_file() else {}
    named = (Path(asked.get(role, "")) for role in ("teacher", "student"))
    model = next((str(place) for place in named if place.name == base and place.is_dir()), base)
    if not plus:
        return model, None
    return model, str(run / adapter) if (run / adapter).is_dir() else adapter


def _place(text: str, files: Sequence[Path]) -> tuple[str, str]:
    """NAME=PATH as a pair, the name one of those in the files."""
    name, equals, place = text.partition("=")
    if not (name and equals and place):
        raise click.BadParameter(f"{text!r}; needs NAME=PATH", param_hint="--model")
    players = [player for file in files for player in read_trajectory(file)[0].agents]
    names = {player.name: player for player in players if player.kind == "language_model"}
    return lookup("model", name, names, "the record").name, place


def _witness(path: Path, header: Header, player: Player, models: "Models | None") -> Witness | None:
    try:
        model = models.find(player.name, path) if models is not None and player.kind == "language_model" else None
        return witness(player, header, model)
    except (InputError, KeyError, TypeError) as error:
        why = f"there is no {error} in its parameters" if isinstance(error, KeyError) else error
        raise RecordError(f"{path}, line 1: agent '{player.name}' cannot be made again: {why}") from error


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
