"""Recipes: everything that a run depends on, as a TOML file that opens with its question and its command.

A recipe may name another as `base` and states only what differs. Keys nobody knows and values of the wrong kind are
refused with the file, the place and the nearest name.
"""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from dilemmas.agents.models.local import DTYPES
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.envs.checks import check_numbers
from dilemmas.envs.data_files import check_keys, read_toml
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import lookup, nearest
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.scenarios import two_player_game
from dilemmas.envs.prompts.templates import load_template
from dilemmas.training.lora import LoraSettings


class RecipeError(InputError):
    """A recipe that cannot be followed."""


@dataclass(frozen=True, slots=True)
class Models:
    """Who teaches and who learns: a directory, a hub id (``id@revision``), or a built-in miniature."""

    teacher: str = "miniature-teacher"
    student: str = "miniature-student"
    device: str = "auto"
    """``cpu``, ``cuda``, ``cuda:1``, or ``auto``."""
    dtype: str = "auto"
    """Number format of the weights; ``auto``: float32 on a CPU, bfloat16 on a GPU."""

    def __post_init__(self) -> None:
        lookup("dtype", self.dtype, dict.fromkeys(DTYPES))


@dataclass(frozen=True, slots=True)
class Prompting:
    """How scenarios are put into words and answers are sampled."""

    template: str = "study"
    """Built-in template or path of a TOML file."""
    shuffle_labels: bool = False
    """Whether labels and their order are drawn anew for every scenario and every decision of a match instead of fixed
    by the template; the models' bias towards a label or a place is then measured."""
    temperature: float = 1.0
    """Of sampled answers."""
    max_tokens: int = 32
    """Length of an answer with motivation, in tokens."""
    answer_tokens: int = 16
    """Length of an answer alone, in tokens."""

    def __post_init__(self) -> None:
        load_template(self.template)
        check_numbers(self, "temperature", 0)
        check_numbers(self, "max_tokens answer_tokens", 1)


@dataclass(frozen=True, slots=True)
class Matches:
    """The repeated games that the models play after tuning."""

    games: tuple[str, ...] = ("prisoners_dilemma", "stag_hunt", "snowdrift", "harmony")
    contexts: tuple[str, ...] = ("business", "friends")
    opponents: tuple[str, ...] = ("tit_for_tat", "always_cooperate", "always_defect", "random")
    """Strategies that every model plays; the models also play each other."""
    rounds: int = 10
    repetitions: int = 10
    """Matches of every pairing, under the same seeds for all three models."""

    def __post_init__(self) -> None:
        check_numbers(self, "rounds repetitions", 1)
        for key, known in (("games", two_player_game), ("contexts", context), ("opponents", strategy)):
            names = getattr(self, key)
            if not names or len(names) > len(set(map(known, names))):
                raise RecipeError(f"{key} = {list(names)}; needs one or more, each of them once")


@dataclass(frozen=True, slots=True)
class Population:
    """The lattice on which the compiled tables play."""

    game: str = "prisoners_dilemma"
    context: str = "team"
    size: int = 50
    """Side of the lattice; size x size agents."""
    steps: int = 100

    def __post_init__(self) -> None:
        two_player_game(self.game)
        context(self.context)
        check_numbers(self, "size", 3)
        check_numbers(self, "steps", 1)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole study."""

    name: str = "study"
    seed: int = 0
    """One number seeds everything."""
    observations: int = 300
    """Answers per scenario and model."""
    models: Models = field(default_factory=Models)
    prompting: Prompting = field(default_factory=Prompting)
    lora: LoraSettings = field(default_factory=LoraSettings)
    matches: Matches = field(default_factory=Matches)
    population: Population = field(default_factory=Population)

    def __post_init__(self) -> None:
        check_numbers(self, "seed", 0)
        check_numbers(self, "observations", 1)

    def as_table(self) -> dict[str, Any]:
        """The resolved recipe as plain data."""
        return asdict(self)


Section = TypeVar("Section")


def load_recipe(name_or_path: str) -> Recipe:
    """A built-in recipe by name or one of your own by the path of a TOML file."""
    table, path = _read(name_or_path)
    seen = [path]
    while "base" in table:
        below, path = _read(str(table.pop("base")), near=path)
        if path in seen:
            raise RecipeError(f"{path}: the recipe is its own base ({' -> '.join(str(p) for p in [*seen, path])})")
        seen.append(path)
        table = _overlay(below, table)
    return build_section(Recipe, table, str(seen[0]))


def _read(name_or_path: str, near: Path | None = None) -> tuple[dict[str, Any], Path]:
    folder = Path(__file__).with_name("recipes")
    built_in = {file.stem: file for file in sorted(folder.glob("*.toml"))}
    path = built_in.get(name_or_path, Path(name_or_path))
    if near is not None and not path.is_file():
        path = near.parent / name_or_path
    if not path.is_file():
        raise RecipeError(
            f"unknown recipe '{name_or_path}'{nearest(name_or_path, built_in)} (or the path of a .toml file)"
        )
    return read_toml(path), path


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` where it says something, `below` elsewhere; tables are joined key by key."""
    joined = dict(below)
    for key, value in above.items():
        old = joined.get(key)
        joined[key] = _overlay(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return joined


def build_section(kind: type[Section], table: Mapping[str, Any], place: str) -> Section:
    """A dataclass from plain data; every error has the place, the key and the way out."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}
    values: dict[str, Any] = {}
    required = [n for n, f in known.items() if f.default is MISSING and f.default_factory is MISSING]
    check_keys(table, required, place, known, RecipeError)
    for key, value in table.items():
        wanted = hints[key]
        if is_dataclass(wanted) and isinstance(wanted, type):
            if not isinstance(value, Mapping):
                raise RecipeError(f"{place}: {key} = {value!r}; needs a table [{key}]")
            values[key] = build_section(wanted, value, f"{place} [{key}]")
        else:
            values[key] = _value(wanted, value, f"{place}: {key}")
    try:
        built: Section = kind(**values)
    except InputError as error:
        raise RecipeError(f"{place}: {error}") from None
    return built


def _value(wanted: Any, value: Any, place: str) -> Any:
    """The value as the wanted type, or an error; whole numbers pass for fractions, lists for tuples."""
    if get_args(wanted):  # tuple[str, ...] is the only generic of a recipe
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise RecipeError(f"{place} = {value!r}; needs a list of words")
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        raise RecipeError(f"{place} = {value!r}; needs {_NAMES[wanted]}")
    return value


_NAMES = {int: "a whole number", float: "a number", str: "a word in quotes", bool: "true or false"}
