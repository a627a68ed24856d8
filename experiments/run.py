"""The run folder: everything that a result depends on, written atomically and resumed by repeating the command.

recipe.json      the resolved recipe         provenance.json  versions, git commit, command
template.toml    the prompts, if your own
answers/         what each model answered    examples.jsonl   the teaching data
adapter/         the tuned student           matches/         trajectories of repeated games
tables/          compiled policies           results.json, report.md, report.html, log.txt
"""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from understudy.agents.versions import installed
from understudy.envs.data_files import differences, write_text
from understudy.envs.errors import InputError
from understudy.experiments.recipe import Recipe

TOLD = 3
"""Differences between two settings that a message names."""


class RunError(InputError):
    """A run folder that cannot be used."""


class Run:
    """A folder with the results of one recipe."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        """Open the folder, or make it; a folder that holds another recipe's run is refused with the difference."""
        self.folder = folder
        self.recipe = recipe
        path = folder / "recipe.json"
        kept = read_json(path) if path.is_file() else None
        open_folder(folder, "run", path.name, kept, plain(recipe.as_table()), " or delete it")

    def begin(self) -> None:
        """Write down what the run depends on. Until then the folder is empty, and open to any recipe."""
        if not (self.folder / "recipe.json").is_file():
            write_json(self.folder / "recipe.json", self.recipe.as_table())
        if self.recipe.prompting.template.endswith(".toml"):
            self._keep_template(Path(self.recipe.prompting.template))
        write_json(self.folder / "provenance.json", provenance())

    def _keep_template(self, template: Path) -> None:
        """A copy of the user's own template, which may not change while a run is under way."""
        words, kept = template.read_text(encoding="utf-8"), self.folder / "template.toml"
        if kept.is_file() and kept.read_text(encoding="utf-8") != words:
            raise RunError(
                f"{template} is not what the run began with ({kept}); choose another --out or undo the change"
            )
        write_text(kept, words)

    def path(self, *parts: str) -> Path:
        """A path in the folder, whose parent exists."""
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def log(self, line: str) -> None:
        """Add a line to log.txt, with the time."""
        with self.path("log.txt").open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {line}\n")

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage of the run; its seconds are added to seconds.json whether it ends or is stopped."""
        self.log(f"{name}: begins")
        start = time.monotonic()
        try:
            yield
        finally:
            spent = self.seconds()
            spent[name] = spent.get(name, 0.0) + time.monotonic() - start
            write_json(self.path("seconds.json"), spent)
            self.log(f"{name}: {time.monotonic() - start:.1f} s")

    def seconds(self) -> dict[str, float]:
        """Seconds spent in each stage so far, over all attempts."""
        path = self.folder / "seconds.json"
        return dict(read_json(path)) if path.is_file() else {}


def open_folder(folder: Path, what: str, file: str, kept: Any, asked: Any, way_out: str) -> None:
    """Make a folder, or find it as it was left: with the same settings in its `file`, or empty.

    `kept`: what the file holds, None where there is none. `RunError` for settings other than `asked`, with the first
    differences, and for a folder of something else.
    """
    if kept is not None:
        found = sorted(differences(kept, asked), key=lambda text: text.startswith("name:"))
        if found:
            told = "; ".join(found[:TOLD])
            raise RunError(f"{folder} holds a {what} of other settings ({told}); choose another --out{way_out}")
    elif folder.exists() and any(path.suffix != ".partial" for path in folder.iterdir()):
        raise RunError(f"{folder} is not empty and holds no {what} (no {file}); choose another --out")
    folder.mkdir(parents=True, exist_ok=True)


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """What a file of the folder holds; `RunError` where it is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is damaged ({error}); take it from a copy, or choose another --out") from None


def provenance() -> dict[str, Any]:
    """Versions of what computes the results, and the commit of understudy where it runs from a checkout."""
    packages = ("understudy", "numpy", "torch", "transformers", "peft", "tokenizers", "pettingzoo", "gymnasium", "mesa")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: found for name in packages if (found := installed(name))},
        "commit": _commit(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def _commit() -> str | None:
    """Git commit of the checkout that understudy runs from; None for an installed copy."""
    here = Path(__file__).resolve()

    def git(*words: str) -> str:
        asked = subprocess.run(["git", *words], cwd=here.parent, capture_output=True, text=True, timeout=10, check=True)
        return asked.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # fails in an environment that lies inside another checkout
        return git("rev-parse", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return None


def plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    return json.loads(json.dumps(value))
