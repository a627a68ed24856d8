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
from dilemmas.envs import data_files
from dilemmas.envs.errors import InputError

MOST_DIFFERENCES = 3
"""Differences between two settings that an error message lists."""


class RunError(InputError):
    """A run folder that cannot be used."""


def open_folder(folder: Path, what: str, file: str, kept: Any, asked: Any, way_out: str) -> None:
    """Create a folder, or check that an existing one can be resumed.

    Parameters
    ----------
    what
        Content of the folder, such as ``run``, for error messages.
    file
        Name of the file with the settings.
    kept
        Settings in that file; None without a file.
    asked
        Settings of the current command.
    way_out
        Alternative to another ``--out``; it ends the message about other settings.

    Raises
    ------
    RunError
        If the settings differ (the message lists the first differences), or the folder is not empty and holds
        something else.
    """
    if kept is not None:
        found = sorted(data_files.differences(kept, asked), key=lambda text: text.startswith("name:"))
        if found:
            listed = "; ".join(found[:MOST_DIFFERENCES])
            raise RunError(f"{folder} holds a {what} with other settings ({listed}); choose another --out{way_out}")
    elif folder.exists() and any(path.suffix != ".partial" for path in folder.iterdir()):
        raise RunError(f"{folder} is not empty and holds no {what} (no {file}); choose another --out")
    folder.mkdir(parents=True, exist_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically."""
    data_files.write_text(path, data_files.json_text(value, indent=1, allow_nan=False) + "\n")


def read_run_json(path: Path) -> Any:
    """Read a JSON file of a run folder; `RunError` if it is damaged."""
    return data_files.load_json(path, RunError, "restore it from a copy, or choose another --out")


def provenance() -> dict[str, Any]:
    """Versions of the packages that compute the results, and the commit of dilemmas if it runs from a checkout."""
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
        done = subprocess.run(["git", *words], cwd=here.parent, capture_output=True, text=True, timeout=10, check=True)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # fails in an environment inside another checkout
        return git("rev-parse", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return None


def json_values(value: Any) -> Any:
    """The value after a round trip through JSON: tuples become lists, keys strings."""
    return json.loads(json.dumps(value))
