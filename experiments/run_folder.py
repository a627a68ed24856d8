"""The run folder: everything that a result depends on, written atomically and resumed by repeating the command.

recipe.json      the resolved recipe         provenance.json  versions, git commit, command
answers/         what each model answered    examples.jsonl   the teaching data
adapter/         the tuned student           matches/         trajectories of repeated games
tables/          compiled policies           results.json, report.md, report.html, log.txt
"""

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from dilemmas.agents.versions import installed
from dilemmas.envs.data_files import differences, write_text
from dilemmas.envs.errors import InputError

TOLD = 3
"""Differences between two settings that a message names."""


class RunError(InputError):
    """A run folder that cannot be used."""


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
    """Versions of what computes the results, and the commit of dilemmas where it runs from a checkout."""
    packages = ("dilemmas", "numpy", "torch", "transformers", "peft", "tokenizers", "pettingzoo", "gymnasium", "mesa")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: found for name in packages if (found := installed(name))},
        "commit": _commit(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def _commit() -> str | None:
    """Git commit of the checkout that dilemmas runs from; None for an installed copy."""
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
