"""Folders that are given as data: what was taught in a study or a distillation, and play that was recorded."""

from pathlib import Path
from typing import Any

from dilemmas.agents.matches.trajectory import SUFFIX, check_recorded
from dilemmas.agents.models.networks.adapters import ADAPTER_CONFIG
from dilemmas.envs.seals import check_described, check_sealed
from dilemmas.experiments.distilling.teaching import TeachingError
from dilemmas.experiments.inference.recorded_play import recorded_files
from dilemmas.experiments.run_folder import RunError, read_run_json
from dilemmas.experiments.study.recipe_files import load_recipe
from dilemmas.experiments.study.teaching import EXAMPLES, demonstrations, teacher_answers
from dilemmas.training.demonstrations import Demonstration
from dilemmas.training.lora import Method

STUDY = "recipe.json"
"""File that tells a study from other run folders."""
SETTINGS, DEMONSTRATIONS = "distil.json", "demonstrations.jsonl"
"""Files of a distillation: what was asked for, which tells it from other run folders, and the teaching data."""
TOTALS = "rows.jsonl"
"""File that every tournament has, whether its matches are recorded or not."""


def is_study(path: Path) -> bool:
    """Whether a folder is that of a study."""
    return (path / STUDY).is_file()


def is_distillation(path: Path) -> bool:
    """Whether a folder is that of a distillation."""
    return (path / SETTINGS).is_file()


def holds_model(path: Path) -> bool:
    """Whether a folder holds a model, or an adapter that names its base."""
    return any((path / name).is_file() for name in ("config.json", ADAPTER_CONFIG))


def check_study(folder: Path) -> None:
    """Check that a study has the files that it had finished, and that its teaching data are as they were then.

    `SealError` if not.
    """
    check_recorded(folder)
    check_sealed(folder / EXAMPLES)


def taught_by_study(folder: Path, method: Method) -> list[Demonstration]:
    """The answers of the teacher of a study, as the student of that study was taught.

    `RunError` if the teacher has not answered yet, or gives nothing that the method can teach.
    """
    if not (folder / "answers" / "teacher.jsonl").is_file():
        raise RunError(f"{folder}: its teacher has not answered yet; repeat the command that began it")
    return demonstrations(load_recipe(str(folder / STUDY)), teacher_answers(folder), method)


def demonstration_files(folder: Path) -> list[Path]:
    """The teaching data of a distillation, with those of every relabelling; `TeachingError` if some are not there."""
    check_described(folder)
    asked = read_run_json(folder / SETTINGS, dict[str, Any]).get("relabelling")
    times = asked.get("times") if isinstance(asked, dict) else None
    rounds = [folder / "rounds" / str(number) for number in range(times if isinstance(times, int) else 0)]
    files = [place / DEMONSTRATIONS for place in (folder, *rounds)]
    if missing := [file for file in files if not file.is_file()]:
        raise TeachingError(
            f"{folder} is a distillation without all of its teaching data: {missing[0].relative_to(folder)} is not"
            " there; repeat the command that began it"
        )
    return files


def play_in(folder: Path) -> list[Path]:
    """The trajectories in a folder; `TeachingError` if it holds none, nor anything else that can be taught."""
    if not (folder / TOTALS).is_file() and not any(folder.rglob(f"*{SUFFIX}")):
        raise TeachingError(
            f"{folder} holds no recorded play (*{SUFFIX}), no study ({STUDY}), no teaching data ({SETTINGS}) and no"
            " model; if a command that fills it was stopped, repeat that command"
        )
    return recorded_files(folder)
