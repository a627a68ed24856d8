"""What the record of an adapter says of a distillation, and with which command its student is measured."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dilemmas.agents.matches.trajectory import may_be_trajectory, read_trajectory
from dilemmas.agents.models.networks.moved_paths import told_from
from dilemmas.agents.specifications import parse_spec
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import GAMES, example_options, game_options, stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.experiments.distilling.folders import STUDY, is_distillation, is_study
from dilemmas.experiments.distilling.sources import (
    HISTORIES,
    QUESTIONS,
    SCENARIOS,
    Lessons,
    asked_words,
    is_recorded,
    recorded_in,
)
from dilemmas.experiments.study.recipe import SETS
from dilemmas.experiments.study.recipe_files import built_in_recipes, load_recipe
from dilemmas.experiments.study.taught_facts import (
    agent_from,
    agent_name,
    game_facts,
    study_command,
    study_facts,
    template_facts,
)
from dilemmas.training.artefacts.cards import EVALUATE


def teaching_facts(lessons: Lessons, times: int, adapter: Path) -> dict[str, Any]:
    """What was taught, as texts and numbers, and the command that measures it.

    Parameters
    ----------
    lessons
        What was taught.
    times
        How often the student has played and was taught again.
    adapter
        Folder of the adapter, from which paths of the command lead.
    """
    facts = {
        "data": [_facts_of(word, lessons) for word in lessons.data],
        "recipe": lessons.recipe.name,
        "context": lessons.contexts[0].name,
        **template_facts(lessons.prompts.template, lessons.prompts.counterbalanced),
        "on_policy": times,
    }
    if lessons.teacher:
        facts["teacher_of_tokens"] = agent_name(lessons.teacher)
    if times and (asked := lessons.relabelling):
        told = {"opponents": list(asked.opponents), "rounds": asked.rules.rounds, "matches": asked.matches}
        facts["matches_of_the_student"] = {"game": game_facts(asked.rules.stage), "memory": asked.rules.memory, **told}
    return {**facts, EVALUATE: _command(lessons, times, adapter)}


def _facts_of(word: str, lessons: Lessons) -> dict[str, Any]:
    """What is known of one of the data."""
    path = Path(word).expanduser()
    if not is_recorded(word):
        return _facts_of_agent(word, lessons)
    if is_study(path):
        recipe = load_recipe(str(path / STUDY))
        return {"study": path.name, "teacher": agent_name(recipe.models.teacher), **study_facts(recipe)}
    if is_distillation(path):
        return {"distillation": path.resolve().name}
    if path.is_file() and not may_be_trajectory(path):
        return {"messages": path.name}
    headers = [read_trajectory(file)[0] for file in recorded_in(word)]
    games = {header.environment: header.options for header in headers}
    return {
        "recorded": path.resolve().name,
        "players": list(lessons.players or dict.fromkeys(agent.called for one in headers for agent in one.agents)),
        "games": [{"name": name, **options} for name, options in games.items()],
        "asked_anew": lessons.anew,
    }


def _facts_of_agent(spec: str, lessons: Lessons) -> dict[str, Any]:
    words, game = asked_words(spec, lessons)
    facts: dict[str, Any] = {"teacher": agent_name(spec), "on": [Path(word).name for word in words]}
    if HISTORIES in words and game is not None:
        facts |= {"game": game_facts(game), "memory": lessons.memory}
    if QUESTIONS in words:
        facts["random_games"] = lessons.recipe.questions.number
    if lessons.recipe.lora.method == "hard":
        facts["answers_per_situation"] = lessons.answers
    return facts


def _command(lessons: Lessons, times: int, adapter: Path) -> list[str]:
    """Teacher and options of `dilemmas evaluate`; empty if no single agent taught that can be asked again, or the words
    of the student are in a file of its own."""
    if len(lessons.data) > 1:
        return []
    (word,), asked = lessons.data, _options_of_words(lessons)
    path = Path(word).expanduser()
    if is_study(path):
        return study_command(load_recipe(str(path / STUDY)), path / STUDY, adapter)
    if not asked or is_distillation(path) or (path.suffix == ".jsonl" and not may_be_trajectory(path)):
        return []
    if not is_recorded(word):
        return _command_of_agent(word, lessons, times, adapter, asked)
    taught = [
        agent
        for file in recorded_in(word)
        for agent in read_trajectory(file)[0].agents
        if not lessons.players or not {agent.called, agent.name}.isdisjoint(lessons.players)
    ]
    told, rules = told_from(path, adapter), {agent.name for agent in taught}
    if len({agent.called for agent in taught}) != 1 or not _is_rule(*rules) or Path(told).is_absolute():
        return []
    return [*rules, "--on", told, "--player", taught[0].called, *asked]


def _is_rule(name: str) -> bool:
    """Whether a recorded player is known by its own name."""
    try:
        return parse_spec(name).kind in ("strategy", "uniform", "behaviour", "axelrod")
    except InputError:
        return False


def _command_of_agent(spec: str, lessons: Lessons, times: int, adapter: Path, asked: list[str]) -> list[str]:
    teacher, (words, game) = agent_from(spec, adapter), asked_words(spec, lessons)
    on = [word if word in (SCENARIOS, HISTORIES, QUESTIONS, *SETS) else told_from(word, adapter) for word in words]
    played = _options_of_game(game, lessons.memory) if game is not None else []
    if not teacher or played is None or any(Path(word).is_absolute() for word in on):
        return []
    options = [part for word in on for part in ("--on", word)] + played + asked
    if QUESTIONS in words:
        options += ["--questions", str(lessons.recipe.questions.number), "--seed", str(lessons.recipe.seed)]
    options += [part for player in lessons.players for part in ("--player", player)]
    if times and (matches := lessons.relabelling):
        opponents = [agent_from(one, adapter) for one in matches.opponents]
        if not all(opponents):
            return []
        rounds, number = str(matches.rules.rounds), str(matches.matches)
        options += ["--opponents", ",".join(opponents), "--rounds", rounds, "--matches", number]
    elif HISTORIES in words and lessons.memory and isinstance(game, MatrixGame):
        options += ["--opponents", "random,always_defect"]
    return [teacher, *options]


def _options_of_game(game: StageGame, memory: int) -> list[str] | None:
    """The options that make a game; None if it is not made from them."""
    if game.name not in GAMES:
        return None
    own = {key: getattr(game, key) for key in game_options(game.name) if hasattr(game, key)}
    try:
        changed = {} if game == GAMES[game.name] else own
        same = stage_game(game.name, **(changed or example_options(game.name))) == game
    except InputError:
        return None
    settings = [part for key, value in changed.items() for part in ("--set", f"{key}={value!r}")]
    return ["--game", game.name, *settings, "--memory", str(memory)] if same else None


def _options_of_words(lessons: Lessons) -> list[str]:
    """How the student is asked; empty if that, or the scenarios, are in files of its own."""
    framing, recipe = lessons.framing, lessons.recipe
    usual = load_recipe(recipe.name) if recipe.name in built_in_recipes() else None
    if usual is None or any(Path(word).suffix == ".toml" for word in (framing.template, framing.persona)):
        return []
    chosen = replace(recipe, seed=0, models=usual.models, prompting=usual.prompting, lora=usual.lora)
    chosen = replace(chosen, questions=replace(recipe.questions, number=usual.questions.number))
    if chosen != replace(usual, seed=0) or framing.usual != usual.prompting.template:
        return []
    given = {
        "context": framing.context,
        "template": framing.template,
        "persona": framing.persona,
        "labels": framing.labels,
        "system": framing.system,
        "presentation": framing.presentation,
    }
    words = {"recipe": recipe.name, **given}
    return [part for option, value in words.items() if value for part in (f"--{option}", value)]
