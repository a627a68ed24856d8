"""Social contexts: the framing in which a game is played. The words lie in contexts.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dilemmas.envs.data_files import read_toml
from dilemmas.envs.errors import InputError
from dilemmas.envs.names import lookup


@dataclass(frozen=True, slots=True)
class Context:
    """Who the player is and whom the player meets."""

    name: str
    title: str
    """A few words for tables."""
    pair: str
    """Opening of a two-player prompt."""
    group: str
    """Opening of a prompt for groups; ``{others}`` is the number of other players."""
    known: bool = False
    """Whether it is one of the study's five, in which students are trained."""

    def opening(self, n_players: int) -> str:
        """The first sentence of a prompt for `n_players` players."""
        return self.pair if n_players == 2 else self.group.replace("{others}", str(n_players - 1))


def load_contexts(path: Path) -> dict[str, Context]:
    """Read contexts from a TOML file of one table per context; errors name the file and the table."""
    contexts = {}
    for name, table in read_toml(path).items():
        try:
            contexts[name] = Context(name=name, **table)
        except TypeError as error:
            raise InputError(f"{path}, context '{name}': {error}") from None
    return contexts


@cache
def built_in_contexts() -> Mapping[str, Context]:
    return load_contexts(Path(__file__).with_name("contexts.toml"))


def context(name: str) -> Context:
    """A built-in context by name; an unknown name is answered with the nearest one."""
    return lookup("context", name, built_in_contexts())
