"""What the record of an adapter says of the teaching in a study, and with which command it is measured."""

from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, cast

from dilemmas.agents.models.deciding.questions import template_signature
from dilemmas.agents.models.model_files import BUILT_IN, GGUF, split_spec
from dilemmas.agents.models.networks.moved_paths import told_from
from dilemmas.agents.models.servers.settings import is_served
from dilemmas.agents.specifications import parse_spec
from dilemmas.agents.tables.table_file import TABLE
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.prompts.templates import Template
from dilemmas.experiments.study.recipe import TRAINING_SET, Recipe


def game_facts(game: StageGame) -> dict[str, Any]:
    """Name, payoffs and other settings of a game."""
    return {"name": game.name, **(asdict(cast(Any, game)) if is_dataclass(game) else {})}


def template_facts(template: Template, counterbalanced: bool) -> dict[str, Any]:
    """How students are asked."""
    return {
        "template": template_signature(template),
        "presentation": "counterbalanced" if counterbalanced else "fixed",
    }


def study_facts(recipe: Recipe) -> dict[str, Any]:
    """What a study teaches: games that are played once, so that nothing is remembered."""
    chosen, answers = recipe.scenarios, 0 if recipe.lora.method == "soft" else recipe.drawn
    return {
        "on": [TRAINING_SET],
        "games": [game_facts(recipe.game(name)) for name in chosen.games],
        "contexts": list(chosen.contexts),
        "memory": 0,
        "random_games": recipe.questions.number,
        **({"answers_per_scenario": answers} if answers else {}),
        **template_facts(recipe.prompting.template, recipe.counterbalanced),
    }


def study_command(recipe: Recipe, file: Path, adapter: Path) -> list[str]:
    """Teacher and options of `dilemmas evaluate` for a student of a study, from the folder of its adapter; empty if the
    teacher or the study lies apart from it. `file`: the recipe in the folder of the study."""
    teacher, told = agent_from(recipe.models.teacher, adapter), told_from(file, adapter)
    return [teacher, "--recipe", told] if teacher and not Path(told).is_absolute() else []


def agent_from(spec: str, folder: Path) -> str:
    """An agent as it is specified in a folder, by paths from there; empty if they hold on this machine only."""
    if is_served(spec):
        return spec
    parsed = parse_spec(spec)
    if parsed.kind == "table":
        told = told_from(parsed.text, folder)
        return "" if Path(told).is_absolute() else TABLE + told
    if parsed.kind != "model":
        return parsed.text
    model, adapter = split_spec(parsed.text)
    if model in BUILT_IN:
        first = f"miniature:{BUILT_IN[model]}"
    else:
        first = ("gguf:" if model.endswith(GGUF) else "hf:") + _part_from(model, folder)
    second = "" if adapter is None else f"+{_part_from(adapter, folder)}"
    return "" if first.endswith(":") or second == "+" else first + second


def _part_from(name: str, folder: Path) -> str:
    path = Path(name).expanduser()
    told = told_from(path, folder) if path.exists() else name
    return "" if Path(told).is_absolute() else told


def agent_name(spec: str) -> str:
    """An agent as it is named in facts, without the folder of its file."""
    path = Path(spec.partition(":")[2] if ":" in spec else spec).expanduser()
    return path.resolve().name if not is_served(spec) and path.exists() else spec
