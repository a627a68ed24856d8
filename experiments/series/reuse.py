"""Answers of another study that are used again where the same was asked.

The answers of a teacher, and of a student before it is tuned, depend on the scenarios and on how they are asked, not on
how the student is then tuned: studies that differ in the tuning share them.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from dilemmas.agents.specifications import is_model
from dilemmas.envs.data_files import complete_lines, write_text
from dilemmas.envs.seals import check_described
from dilemmas.experiments.run_folder import RunError, read_run_json, write_sealed
from dilemmas.experiments.study.answers import Asked, Role, append_answers, read_answers
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.run import MODELS, Run

ROLES_REUSED: tuple[tuple[Role, str], ...] = (("teacher", "teacher"), ("untuned", "student"))
"""Who is not asked again, and its key among the models."""
ASKED = ("seed", "prompting", "scenarios", "games", "contexts")
"""Keys of a recipe on which every answer depends."""


def reuse_answers(run: Run, folder: Path) -> list[Role]:
    """Take what the language models of another study answered, before they are tuned.

    Of more answers than the recipe asks for the first ones are taken; fewer are the beginning, and the rest is asked
    for. Needs the lock of the run.

    Parameters
    ----------
    run
        The study that needs answers; what has been answered there is kept.
    folder
        Run folder of the other one, which may differ in everything that does not change answers.

    Returns
    -------
    Whose answers were taken; nobody's where something else was asked.

    Raises
    ------
    RunError
        If the folder holds no study.
    """
    if not (folder / "recipe.json").is_file():
        raise RunError(f"{folder} holds no study; name a run folder of dilemmas replicate")
    check_described(folder)
    other = load_recipe(str(folder / "recipe.json"))
    known = read_run_json(folder / MODELS, dict[str, str]) if (folder / MODELS).is_file() else {}
    found: dict[Role, list[Asked]] = {}
    for role, key in ROLES_REUSED:
        answered = run.folder / "answers" / f"{role}.jsonl"
        same = key in known and _asked(run.recipe, key) == _asked(other, key)
        if same and is_model(getattr(other.models, key)) and not answered.is_file():
            found[role] = read_answers(folder / "answers" / answered.name)
    taken = [role for role, asked in found.items() if asked]
    if taken:
        run.begin()
        write_sealed(run.seals, MODELS, {key: known[key] for role, key in ROLES_REUSED if role in taken})
    for role in taken:
        _keep(run, role, found[role])
        _copy_questions(run, role, folder)
        run.log(f"{role}: {len(found[role])} scenarios were answered in {folder}")
    return taken


def _asked(recipe: Recipe, key: str) -> dict[str, Any]:
    """What the answers of one of the models depend on."""
    table = recipe.as_table()
    models = table["models"]
    return {name: table[name] for name in ASKED} | {
        "model": [models[key], models["device"], models["dtype"]],
        "counterbalanced": recipe.counterbalanced,
    }


def _keep(run: Run, role: Role, answered: list[Asked]) -> None:
    """Write answers to a study: those of complete scenarios, and the first replies to the others."""
    number = run.recipe.drawn
    whole = [_cut(one, number) for one in answered if len(one.replies) >= number]
    begun = run.path("answers", f"{role}.begun.jsonl")
    begun.unlink(missing_ok=True)
    append_answers(begun, [one for one in answered if len(one.replies) < number])
    path = run.path("answers", f"{role}.jsonl")
    append_answers(path, whole)
    if whole:
        run.seals.add(path, finished=False)


def _cut(asked: Asked, number: int) -> Asked:
    """With the first replies only."""
    thoughts = asked.thoughts and asked.thoughts[:number]
    return replace(asked, replies=asked.replies[:number], thoughts=thoughts if thoughts and any(thoughts) else None)


def _copy_questions(run: Run, role: Role, folder: Path) -> None:
    path, source = run.path("questions", f"{role}.jsonl"), folder / "questions" / f"{role}.jsonl"
    if source.is_file() and not path.is_file():
        write_text(path, b"".join(line for _, line in complete_lines(source)).decode())
