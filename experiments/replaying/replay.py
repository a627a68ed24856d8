"""Replay of recorded trajectories: every match is played again and compared step by step."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pettingzoo  # type: ignore[import-untyped]

from dilemmas.agents.agent import PlayerRecord
from dilemmas.agents.matches.match import Environment
from dilemmas.agents.matches.record import RecordError
from dilemmas.agents.matches.trajectory import Header, read_trajectory
from dilemmas.agents.models.asking.caching import CachingBackend
from dilemmas.agents.models.backend import Backend, ModelError
from dilemmas.envs.data_files import check_value
from dilemmas.envs.errors import InputError
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.prompts.templates import Template, build_template
from dilemmas.experiments.replaying.reenact import Difference, Witness, reenact, witness
from dilemmas.experiments.run_folder import read_run_json


@dataclass(slots=True)
class Result:
    """The result of replaying files."""

    files: int = 0
    matches: int = 0
    rounds: int = 0
    differences: list[tuple[str, Difference]] = field(default_factory=list)
    """Differences with the name of their file; of each match only those of the first round that has any."""
    not_asked: set[str] = field(default_factory=set)
    """Names of agents whose decisions were not verified, because the header does not describe how to rebuild them."""

    def as_table(self) -> dict[str, Any]:
        differences = [{"file": name, **asdict(difference)} for name, difference in self.differences]
        return {**asdict(self), "differences": differences, "not_asked": sorted(self.not_asked)}


def replay_file(path: Path, models: "Models | None", result: Result) -> Iterator[list[Difference]]:
    """Replay the matches of a file; yields the differences of each match, and updates the counts in `result`."""
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
    """Make the environment of a header, one of dilemmas or any of PettingZoo; `RecordError` if there is no such one."""
    make = parallel if header.environment.startswith("dilemmas/") else partial(pettingzoo.make, "parallel")
    try:
        env: Environment = make(header.environment, **header.options)
    except Exception as error:  # errors of PettingZoo and of any environment
        raise RecordError(
            f"{path}, line 1: the environment '{header.environment}' cannot be made again: {error}"
        ) from error
    if len(env.possible_agents) != len(header.agents):
        raise RecordError(
            f"{path}, line 1: {len(header.agents)} agents; the environment '{header.environment}' has"
            f" {len(env.possible_agents)} players"
        )
    return env


class Models:
    """Language models of records, each loaded once, with a cache of their outputs."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """`places`: MODEL or MODEL+ADAPTER by name, for models that the record and its run folder do not locate."""
        self._places = places
        self._opened: dict[str, Backend] = {}

    def find(self, name: str, file: Path) -> Backend:
        """The model that a trajectory names ``base`` or ``base+adapter``; the adapter may be in its run folder."""
        from dilemmas.agents.models.open_model import open_model

        named = self._places.get(name)
        spec = named or _spec_in_run(name, file)
        if spec not in self._opened:
            try:
                model = open_model(spec, ask_hub=named is not None)  # a record must not make it download
                model.loaded()
            except ModelError as error:
                where = shlex.quote(f"{name}=MODEL")
                raise ModelError(f"{error}; or say where it is: --model {where}") from error
            self._opened[spec] = CachingBackend(model)
        return self._opened[spec]


def _spec_in_run(name: str, file: Path) -> str:
    """Model and adapter according to the recipe and the run folder of a trajectory; otherwise according to the name."""
    base, plus, adapter = name.partition("+")
    run, recipe = _run_of(file)
    models = check_value(recipe.get("models", {}), dict[str, str], f"{run / 'recipe.json'}: models", RecordError)
    named = (Path(models.get(role, "")) for role in ("teacher", "student"))
    model = next((str(place) for place in named if place.name == base and place.is_dir()), base)
    return f"{model}+{run / adapter if (run / adapter).is_dir() else adapter}" if plus else model


def _run_of(file: Path) -> tuple[Path, dict[str, Any]]:
    """The run folder of the study to which a trajectory belongs, and its recipe; the recipe is empty without one."""
    for folder in file.resolve().parents:
        if (folder / "recipe.json").is_file():
            return folder, read_run_json(folder / "recipe.json", dict[str, Any])
    return file.parent, {}


def _own_template(file: Path) -> Template | None:
    """The template in the recipe of a trajectory's run; None if it is a built-in one."""
    run, recipe = _run_of(file)
    place = f"{run / 'recipe.json'}: prompting"
    template = check_value(recipe.get("prompting", {}), dict[str, Any], place, RecordError).get("template")
    return build_template(template, f"{place}.template") if isinstance(template, dict) else None


def _witness(path: Path, header: Header, player: PlayerRecord, models: "Models | None") -> Witness | None:
    try:
        model = models.find(player.name, path) if models is not None and player.kind == "language_model" else None
        return witness(player, header, model, _own_template(path))
    except (InputError, KeyError, TypeError) as error:
        why = f"there is no {error} in its parameters" if isinstance(error, KeyError) else error
        raise RecordError(f"{path}, line 1: agent '{player.name}' cannot be made again: {why}") from error
