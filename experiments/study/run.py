"""The run folder of a study: a folder with the results of one recipe."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dilemmas.agents.models.backend import Backend
from dilemmas.envs.locks import locked_folder
from dilemmas.envs.seals import PROVENANCE, Seals, check_described
from dilemmas.experiments.run_folder import (
    RunError,
    add_seconds,
    append_log,
    check_folder,
    json_values,
    provenance,
    read_run_json,
    recover,
    with_lower_mass,
    write_sealed,
)
from dilemmas.experiments.study.recipe import Recipe
from dilemmas.experiments.study.teachers import AgentTeacher

MODELS = "models.json"
"""Name of the file with the fingerprints of the models."""


class Run:
    """A folder with the results of one recipe."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        """Open a folder, which `begin` creates; the run of another recipe is refused with the differences
        (`RunError`)."""
        self.folder = folder
        self.recipe = recipe
        self._check()
        self.seals = Seals(folder)

    def _check(self) -> None:
        check_described(self.folder)
        path = self.folder / "recipe.json"
        kept = read_run_json(path, dict[str, Any]) if path.is_file() else None
        asked = json_values(self.recipe.as_table())
        if kept is not None:
            asked["servers"] = kept.get("servers")  # changes no result
            kept["prompting"] = with_lower_mass(kept.get("prompting"), asked["prompting"])
        check_folder(self.folder, "run", path.name, kept, asked, " or delete it")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Context manager: holds the lock of the folder, and makes it whole after a kill or damage.

        `InUseError` if another process holds the lock, `RunError` if one has meanwhile begun another recipe.
        """
        with locked_folder(self.folder):
            self._check()
            if (self.folder / "recipe.json").is_file():
                self.seals = recover(self.folder)
            yield

    def begin(self) -> None:
        """Record what the run depends on. Until then the folder is empty and can be used with any recipe."""
        write_sealed(self.seals, "recipe.json", self.recipe.as_table())
        write_sealed(self.seals, PROVENANCE, provenance())

    def check_models(self, models: Mapping[str, Backend | AgentTeacher]) -> None:
        """Record the fingerprints of the models that answer, by role; `RunError` if another model answered before."""
        path = self.folder / MODELS
        kept = read_run_json(path, dict[str, str]) if path.is_file() else {}
        for role, model in models.items():
            if (before := kept.get(role, model.fingerprint)) != model.fingerprint:
                raise RunError(
                    f"{self.folder}: the {role} that answered so far has the fingerprint {before}, {model.name} now has"
                    f" {model.fingerprint}; restore that model, or choose another --out"
                )
        write_sealed(self.seals, MODELS, kept | {role: model.fingerprint for role, model in models.items()})

    def path(self, *parts: str) -> Path:
        """A path in the folder; its parent folder is created."""
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, line: str) -> None:
        """Append a line to log.txt, with the time."""
        append_log(self.folder, line)

    def log_system_turn(self, model: Backend) -> None:
        """Record where a model reads the system text of the recipe, if it has one."""
        if self.recipe.prompting.template.system:
            self.log(
                f"{model.name}: the system text is {'a system turn' if model.system_turn else 'before the prompt'}"
            )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage of the run; its duration is added to seconds.json, also if it is interrupted."""
        self.log(f"{name}: begins")
        start = time.monotonic()
        try:
            yield
        finally:
            spent = time.monotonic() - start
            add_seconds(self.folder, name, spent)
            self.log(f"{name}: {spent:.1f} s")
