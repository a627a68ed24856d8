"""Experiments as files: TOML that opens with its question and its command, and lists commands for every variant."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, MinLen

from dilemmas.envs.data_files import read_toml
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import did_you_mean, lookup
from dilemmas.experiments.series.measures import WHATS

VARIABLE = re.compile(r"\{(\w*)\}")
"""A placeholder in a command."""
COMMANDS = ("replicate", "distill", "evaluate", "ask", "compile", "tournament run")
"""Commands of which an experiment can consist."""
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
"""Name of a variant, which names a folder."""


class ExperimentError(InputError):
    """An experiment that cannot be carried out."""


@dataclass(frozen=True, slots=True)
class Variant:
    """What is done for one variant and one seed."""

    run: Annotated[tuple[str, ...], MinLen(1)]
    """Commands without the word dilemmas, one after the other: replicate, distill, evaluate, ask, compile or
    tournament run. ``{seed}``, ``{out}`` (a folder of this variant and seed), ``{teacher}``, ``{student}`` and
    ``{recipe}`` are replaced. ``--seed`` and ``--out`` with a folder are added to commands that have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit for one number, such as a threshold of a warning."""

    says: str
    """What the number is, as the beginning of a sentence."""
    where: str
    """Where it is measured, as in the results: ``new_context``."""
    what: str
    """What is measured: ``gap_closed``."""
    variant: str = ""
    """Of which variant; empty: of each."""
    against: str = ""
    """Variant that is subtracted, seed by seed; empty for none."""
    above: float | None = None
    """The limit is passed by a mean above this number."""
    below: float | None = None
    """The limit is passed by a mean below this number."""
    surely: bool = False
    """Whether the whole 95% interval has to be beyond the number."""
    bar: bool = False
    """Whether to pass the limit is good; otherwise it is a warning."""
    means: str = ""
    """What it means if the limit is passed."""

    def __post_init__(self) -> None:
        if (self.above is None) == (self.below is None):
            raise ValueError("needs one of above and below")
        lookup("measure", self.what, WHATS, "what")

    @property
    def number(self) -> float:
        """The limit."""
        return self.below if self.above is None else self.above  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A question, and the variants whose results answer it."""

    question: str
    """The question."""
    variants: Annotated[Mapping[str, Variant], MinLen(1)]
    """Variants by name; the others are compared with the first one."""
    name: str = ""
    """Name in the report; empty: that of the file."""
    seeds: Annotated[int, Ge(1)] = 3
    """Number of seeds, from 0 on, unless the command says otherwise."""
    teacher: str = "miniature-teacher"
    """Agent in the place of ``{teacher}``."""
    student: str = "miniature-student"
    """Model in the place of ``{student}``."""
    recipe: str = "miniatures"
    """Recipe in the place of ``{recipe}``."""
    axis: str = ""
    """What the names of the variants count, if they are numbers: the results are then drawn over it."""
    limits: tuple[Limit, ...] = ()
    """Limits of warnings, and bars."""
    then: tuple[str, ...] = ()
    """Commands with which to go on; the report lists them."""

    def __post_init__(self) -> None:
        for name in self.variants:
            if not NAME.fullmatch(name):
                raise ValueError(f"variants: {name!r} cannot be a name; use letters, digits, _, - and .")
        for limit in self.limits:
            for key in ("variant", "against"):
                if name := getattr(limit, key):
                    lookup("variant", name, self.variants, f"limits: {key}")
        if self.axis and not all(map(is_number, self.variants)):
            raise ValueError("axis: needs variants whose names are numbers")


def is_number(name: str) -> bool:
    """Whether the name of a variant is a number."""
    try:
        return float(name) == float(name)
    except ValueError:
        return False


def built_in_experiments() -> dict[str, Path]:
    """The files of the built-in experiments, by name."""
    return {file.stem: file for file in sorted(Path(__file__).with_name("built_in").glob("*.toml"))}


def load_experiment(name_or_path: str) -> Experiment:
    """A built-in experiment by name, or your own by the path of a TOML file; `ExperimentError` if there is none."""
    known = built_in_experiments()
    path = known.get(name_or_path, Path(name_or_path))
    if not path.is_file():
        raise ExperimentError(
            f"unknown experiment '{name_or_path}'{did_you_mean(name_or_path, known)} (or the path of a .toml file)"
        )
    found = read_toml(path, Experiment, ExperimentError)
    return found if found.name else replace(found, name=path.stem)


def opening(path: Path) -> str:
    """The question and the command with which the file of an experiment opens."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in lines if line.startswith("#"))


def words_of(line: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """The command of a line, and the words after it with the values of placeholders; ``--out`` and ``--seed`` are not
    added yet."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise ExperimentError(f"'{line}': {error}") from None
    name = next((name for name in COMMANDS if name.split() == words[: len(name.split())]), "")
    if not name:
        raise ExperimentError(f"'{line}': needs one of the commands {', '.join(COMMANDS)}")

    def value(found: re.Match[str]) -> str:
        return lookup("placeholder", found[1], values, f"'{line}'")

    return name, [VARIABLE.sub(value, word) for word in words[len(name.split()) :]]
