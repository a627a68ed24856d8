"""The run folder: everything that a result depends on, written atomically and resumed by repeating the command.

recipe.json      the resolved recipe         provenance.json  versions, git commit, command
models.json      fingerprints of the models  server.json      what their servers can do
answers/         what each model answered    examples.jsonl   the teaching data
adapter/         the tuned student           matches/         trajectories of repeated games
tables/          compiled policies           results.json, report.md, report.html, log.txt
seals.jsonl      what is finished, with checksums
seconds.json     the time spent
"""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge

from dilemmas.agents.models.servers.capabilities import Capabilities
from dilemmas.agents.versions import installed
from dilemmas.envs import data_files
from dilemmas.envs.errors import InputError
from dilemmas.envs.locks import LOCK, SUFFIX_OF_LOCKS
from dilemmas.envs.seals import DAMAGED, RESULTS, SEALS, Seals
from dilemmas.experiments.reporting.terminal_text import echo

MOST_DIFFERENCES = 3
"""Differences between two settings that an error message lists."""


class RunError(InputError):
    """A run folder that cannot be used."""


SECONDS = "seconds.json"
"""Name of the file with the time spent."""
LOG = "log.txt"
"""Name of the file with what happened when."""
SERVERS = "server.json"
"""Name of the file with what the servers of models were found to be able to."""
QUESTIONS = "questions.jsonl"
"""Name of the file of a tournament with what language models answered, of use to any tournament."""
Duration = Annotated[float, Ge(0)]
"""Time in seconds."""
PARTS = ("answers", "questions", "adapter", "matches", "tables", "population")
"""Folders inside a run folder."""


def check_folder(folder: Path, what: str, file: str, kept: Any, asked: Any, way_out: str) -> None:
    """Check that a folder can be created or, if it exists, resumed.

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
    elif folder.exists() and not all(map(_is_no_result, folder.iterdir())):
        raise RunError(f"{folder} is not empty and holds no {what} (no {file}); choose another --out")


def with_lower_mass(kept: Any, asked: Mapping[str, Any]) -> Any:
    """The kept part of settings that has `min_mass`, with that of the current command if it is lower.

    Answers that were accepted are accepted with a lower one too, so that a run can be resumed with it.
    """
    if isinstance(kept, dict) and isinstance(before := kept.get("min_mass"), int | float):
        return kept | {"min_mass": min(before, asked["min_mass"])}
    return kept


def _is_no_result(path: Path) -> bool:
    """Whether a file says nothing of the settings of a run."""
    return path.name in (LOCK, QUESTIONS) or _left_behind(path)


def _left_behind(path: Path) -> bool:
    """Whether a file is one that a killed process leaves behind."""
    return path.suffix in (data_files.PARTIAL, SUFFIX_OF_LOCKS)


def recover(folder: Path) -> Seals:
    """Make a run folder whole after a kill or damage, and open its seals; needs the lock of the folder.

    Files that a killed process left behind are deleted. Damaged ones are put aside, with a line on stderr for each:
    what they lack is then done again.
    """
    for part in (folder, *(folder / name for name in PARTS)):
        for path in part.glob("*") if part.is_dir() else ():
            if _left_behind(path):
                path.unlink()
    if (folder / SEALS).is_file():
        data_files.drop_incomplete_line(folder / SEALS)
    seals = Seals(folder)
    misfits, results = seals.misfits(), folder / RESULTS
    if results not in misfits and (misfits or not seals.fits(results)):
        results.unlink(missing_ok=True)  # first: without them nobody takes the run for finished
    for line in seals.mend():
        echo(line, err=True)
    return seals


def delete_files(folder: Path, names: Iterable[str]) -> None:
    """Delete the files of a run folder that match these patterns, also those that were put aside; nothing else."""
    for name in names:
        for path in [*folder.glob(name), *folder.glob(name + DAMAGED)]:
            path.unlink()


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically."""
    data_files.write_text(path, _document(value))


def write_sealed(seals: Seals, name: str, value: Any) -> None:
    """Write a value as indented JSON into a file of the run folder that says what is played, and seal it."""
    seals.write(seals.folder / name, _document(value))


def _document(value: Any) -> str:
    return data_files.json_text(value, indent=1, allow_nan=False) + "\n"


def read_run_json(
    path: Path, kind: type[data_files.Value], remedy: str = "restore it from a copy, or choose another --out"
) -> data_files.Value:
    """Read a JSON file of a run folder; `RunError`, which ends with the remedy, if it is damaged or not of the type."""
    return data_files.read_json(path, kind, RunError, remedy)


def read_seconds(folder: Path) -> dict[str, float]:
    """The seconds spent so far in each part of the work of a run folder, over all attempts."""
    path = folder / SECONDS
    remedy = "delete it (it contains only the time spent so far)"
    return data_files.read_json(path, dict[str, Duration], RunError, remedy) if path.is_file() else {}


def add_seconds(folder: Path, part: str, spent: float) -> None:
    """Add the time spent on a part of the work to the file with the seconds, the only one that has times."""
    before = read_seconds(folder)
    write_json(folder / SECONDS, before | {part: before.get(part, 0.0) + spent})


def append_log(folder: Path, line: str) -> None:
    """Append a line to log.txt of a run folder, with the time; a folder that does not exist is made."""
    folder.mkdir(parents=True, exist_ok=True)
    data_files.append_text(folder / LOG, f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {line}\n")


def read_known_shares(folder: Path) -> list[str]:
    """What log.txt says about how many questions were put to each model: the last line of each, without the time."""
    path = folder / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    told = [line.partition(" ")[2] for line in lines if " questions were put to the model, " in line]
    return list({line.rpartition(": ")[0]: line for line in told}.values())


def record_servers(seals: Seals, found: Mapping[str, Capabilities]) -> None:
    """Write what the servers of some models were found to be able to into server.json and log.txt of a run folder.

    `found`: by the name of the model in the run; without any, nothing is written.
    """
    if found:
        write_sealed(seals, SERVERS, {name: asdict(one) for name, one in found.items()})
    for name, one in found.items():
        for line in one.lines():
            append_log(seals.folder, f"server of {name}: {line}")


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
