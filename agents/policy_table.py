"""An agent compiled to a table: P(action | the last k rounds) for one game. Needs numpy only and pickles small.

In an agent-based model whole populations decide by one look-up:

    table = PolicyTable.load("teacher.json")
    known = table.start(2500)                             # nobody has met yet
    actions = table.act(known, rng)                       # 0 = cooperate
    known = table.after(known, actions, actions[partner])

The table equals the agent wherever the agent sees no more than the last k rounds. What an agent makes of a longer past or
of the number of the round is not in it.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations_with_replacement, product
from math import log
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import ArrayLike, NDArray

from understudy.agents.agent import Agent, Decision, Player, Source, Turn, View, draw
from understudy.envs.catalogue import nearest
from understudy.envs.errors import InputError
from understudy.envs.matrix_games import MatrixGame
from understudy.envs.public_goods import PublicGoods
from understudy.envs.rules import Joint, StageGame

FORMAT = "understudy-policy-table"
VERSION = 1
MOST_ROWS = 100_000
"""A table with more histories is refused: it would be neither small nor soon asked."""

History = tuple[Joint, ...]
"""Joint actions as one player sees them: own action first, then the others; oldest round first."""
Indices = NDArray[np.intp]


class PolicyTableError(InputError):
    """A policy table that cannot be made, read or played; the message names the file or agent, and the way out."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the probabilities of a table come from."""

    agent: str
    """Name of the agent that was asked."""
    source: str = Source.RULE
    """A value of `Source`."""
    model: str | None = None
    """Fingerprint of the weights, where the agent is a model."""
    context: str | None = None
    """Name of the social context in which the game was put."""
    template: str | None = None
    """Name and digest of the prompt template, where the agent was prompted."""
    understudy: str | None = None
    """Version of understudy that asked."""


@dataclass(frozen=True)
class PolicyTable:
    """P(action | the last `memory` rounds) for one game: an agent, and a look-up for whole arrays of agents."""

    game: StageGame
    """The game, with the payoffs under which the agent was asked."""
    memory: int
    """How many rounds back the table looks, 0 or more."""
    rows: tuple[tuple[float, ...], ...]
    """Probability of every action after each of `histories(game, memory)`, in that order."""
    origin: Origin

    def __post_init__(self) -> None:
        asked = histories(self.game, self.memory)
        if len(self.rows) != len(asked):
            raise PolicyTableError(
                f"{len(self.rows)} rows; {self.game.name} with memory {self.memory} has {len(asked)} histories"
            )
        for number, (history, row) in enumerate(zip(asked, self.rows, strict=True)):
            if not _is_distribution(row, self.game.n_actions):
                raise PolicyTableError(
                    f"rows[{number}], after {list(history)}: {row} is no distribution over {self.game.n_actions} actions"
                )

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: cached arrays are made again, so a pickle stays small."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def name(self) -> str:
        return f"table of {self.origin.agent}"

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Probability of every action after every history, shape (rows, actions), read-only."""
        values = np.array(self.rows, dtype=np.float64)
        values.setflags(write=False)
        return values

    @cached_property
    def _reached(self) -> NDArray[np.float64]:
        """Upper ends of the intervals of [0, 1) that the actions but the last take up, shape (rows, actions - 1)."""
        ends = self.probabilities.cumsum(axis=1)
        later = self.probabilities[:, ::-1].cumsum(axis=1)[:, ::-1] - self.probabilities
        return np.where(later > 0, ends, 1.0)[
            :, :-1
        ]  # the last action possible takes what rounding left over

    def start(self, shape: int | tuple[int, ...] = ()) -> Indices:
        """Row of the empty history for an array of agents."""
        return np.zeros(shape, dtype=np.intp)

    def act(self, index: ArrayLike, rng: np.random.Generator) -> Indices:
        """One action drawn for every row in `index`, same shape; 0 is the most cooperative. One uniform number each."""
        threshold = rng.random(np.shape(index))
        return (threshold[..., None] >= self._reached[index]).sum(axis=-1)

    def after(self, index: ArrayLike, own: ArrayLike, others: ArrayLike) -> Indices:
        """Rows after one more round.

        `index`: rows before; `own`: own actions, same shape; `others`: the other's actions, same shape, or in a game
        of n > 2 players one more axis of the n - 1 others' actions.
        """
        theirs = np.asarray(others)
        return self._after(
            np.asarray(index), np.asarray(own), theirs[..., None] if self.game.n_players == 2 else theirs
        )

    def index(self, histories: ArrayLike) -> Indices:
        """Rows of histories, given as actions of shape (..., rounds, players), own action first, oldest round first."""
        played = np.asarray(histories, dtype=np.intp)
        index = self.start(played.shape[:-2])
        for past in range(max(0, played.shape[-2] - self.memory), played.shape[-2]):
            index = self._after(index, played[..., past, 0], played[..., past, 1:])
        return index

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """The agent: InputError where a turn has no view, or is about another game."""
        return [self._decide(turn) for turn in turns]

    def describe(self) -> Player:
        return Player(name=self.name, kind="policy_table", parameters=self.document())

    def memory_one(self) -> tuple[float, float, float, float, float]:
        """Probability to cooperate at first and after CC, CD, DC and DD, own action first."""
        if (self.memory, self.game.n_players, self.game.n_actions) != (1, 2, 2):
            raise PolicyTableError(
                f"{self.name}: memory {self.memory}, {self.game.n_players} players and {self.game.n_actions} actions;"
                " only a table with memory 1 of two players and two actions is five numbers"
            )
        first, cc, cd, dc, dd = (row[0] for row in self.rows)
        return first, cc, cd, dc, dd

    def document(self) -> dict[str, Any]:
        """The table as the plain values of its JSON file."""
        if not isinstance(self.game, MatrixGame | PublicGoods):
            raise PolicyTableError(
                f"{self.name}: {self.game.name} cannot be written; only matrix games and public goods can"
            )
        asked = histories(self.game, self.memory)
        return {
            "format": FORMAT,
            "version": VERSION,
            "origin": asdict(self.origin),
            "game": asdict(self.game),
            "memory": self.memory,
            "rows": [
                {"history": [list(joint) for joint in history], "probabilities": list(row)}
                for history, row in zip(asked, self.rows, strict=True)
            ],
        }

    def save(self, path: str | Path) -> None:
        """Write the JSON file, one line per history; whole or not at all."""
        document = self.document()
        lines = [
            f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items() if key != "rows"
        ]
        rows = ",\n".join(f"    {json.dumps(row)}" for row in document["rows"])
        text = "{\n" + ",\n".join([*lines, f'  "rows": [\n{rows}\n  ]']) + "\n}\n"
        temporary = Path(f"{path}.{os.getpid()}.tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> "PolicyTable":
        """Read a table; `PolicyTableError` names the file and the key that is wrong."""
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise PolicyTableError(f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise PolicyTableError(f"{path}: not a JSON file: {error}") from None
        try:
            return read_table(document)
        except InputError as error:
            raise PolicyTableError(f"{path}: {error}") from None

    def _decide(self, turn: Turn) -> Decision:
        view = turn.info.get("view")
        if not isinstance(view, View):
            raise PolicyTableError(
                f"{self.name} needs info['view'], which the environments of understudy give"
            )
        if not same_payoffs(view.game, self.game):
            raise PolicyTableError(
                f"{self.name} is of {self.game}; it cannot play {view.game}: compile one for it"
            )
        played = np.array(view.history, dtype=np.intp).reshape(-1, self.game.n_players)
        probabilities = self.rows[self.index(played)]
        return Decision(draw(probabilities, turn.rng), probabilities, Source(self.origin.source))

    def _after(self, index: Indices, own: Indices, theirs: Indices) -> Indices:
        """`after` with others' actions of shape (..., n - 1). Rows are numbered as the nodes of a complete tree."""
        code, codes = _others(self.game, theirs)
        branches = self.game.n_actions * codes
        longer = index * branches + 1 + own * codes + code
        longest = branches**self.memory  # histories of full length; they are the last rows
        wrapped = len(self.rows) - longest + (longer - len(self.rows)) % longest
        return np.where(longer < len(self.rows), longer, wrapped)


def rounds(game: StageGame) -> list[Joint]:
    """Every round that a player can tell apart, own action first: CC, CD, DC, DD.

    In groups with two actions only the number of the others who cooperated counts, all first.
    """
    actions, others = range(game.n_actions), game.n_players - 1
    kinds = (
        combinations_with_replacement(actions, others)
        if len(actions) == 2
        else product(actions, repeat=others)
    )
    seen = list(kinds)
    return [(mine, *theirs) for mine in actions for theirs in seen]


def histories(game: StageGame, memory: int) -> list[History]:
    """Every history of up to `memory` rounds: the empty one, then by length, the oldest round varying slowest."""
    if type(memory) is not int or memory < 0:
        raise PolicyTableError(f"memory = {memory!r}; needs a whole number of rounds from 0 up")
    one = rounds(game)
    if memory * log(len(one)) > log(MOST_ROWS):
        raise PolicyTableError(
            f"memory = {memory}: {game.name} has over {MOST_ROWS:,} such histories; choose less memory"
        )
    return [history for length in range(memory + 1) for history in product(one, repeat=length)]


def same_payoffs(game: StageGame, other: StageGame) -> bool:
    """Whether two symmetric games are the same to their players, whatever they are called."""
    if (game.n_players, game.n_actions) != (other.n_players, other.n_actions):
        return False
    return game == other or all(game.payoffs(joint) == other.payoffs(joint) for joint in rounds(game))


def compile_agent(
    agent: Agent, game: StageGame, memory: int, *, model: str | None = None, context: str | None = None
) -> PolicyTable:
    """Ask an agent what it does after every history of up to `memory` rounds, all in one batch.

    `model` and `context` are recorded as where the table comes from: the fingerprint of the agent's weights and the name of
    the context in which it was asked. Raises `PolicyTableError` where the agent gives no probabilities.
    """
    asked = histories(game, memory)
    decisions = agent.decide([_turn(game, history, number) for number, history in enumerate(asked)])
    rows = []
    for history, decision in zip(asked, decisions, strict=True):
        if decision.probabilities is None:
            raise PolicyTableError(
                f"agent '{agent.name}' gives no probabilities of its actions after {list(history)}; a table cannot be made"
                " of sampled replies: ask the model for its exact probabilities"
            )
        rows.append(tuple(float(p) for p in decision.probabilities))
    origin = Origin(agent.name, decisions[0].source, model, context, decisions[0].template, _release())
    return PolicyTable(game, memory, tuple(rows), origin)


def read_table(document: Any) -> PolicyTable:
    """The table in the values of a JSON file; `PolicyTableError` names the key that is wrong."""
    _check_keys(document, ("format", "version", "origin", "game", "memory", "rows"), "policy table")
    if (document["format"], document["version"]) != (FORMAT, VERSION):
        raise PolicyTableError(
            f"format = {document['format']!r}, version = {document['version']!r}; readable are {FORMAT!r}, {VERSION}"
        )
    game = _read_game(document["game"])
    _check_keys(document["origin"], [field.name for field in fields(Origin)], "origin")
    rows = _read_rows(document["rows"], histories(game, document["memory"]))
    return PolicyTable(game, document["memory"], rows, Origin(**document["origin"]))


def _others(game: StageGame, theirs: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """What the others did, shape (..., n - 1), as one number per round in the order of `rounds`; and how many there are."""
    if game.n_actions == 2:
        return theirs.sum(axis=-1), game.n_players
    others = game.n_players - 1
    return theirs @ game.n_actions ** np.arange(others - 1, -1, -1), game.n_actions**others


def _turn(game: StageGame, history: History, number: int) -> Turn:
    view = View(game=game, player=0, round=len(history), history=history)
    return Turn("player_0", None, {"view": view}, Discrete(game.n_actions), np.random.default_rng(number))


def _release() -> str | None:
    try:
        return version("understudy")
    except PackageNotFoundError:  # a bare checkout
        return None


def _is_distribution(row: Sequence[object], length: int) -> bool:
    numbers = [p for p in row if isinstance(p, Real) and p >= 0]
    return len(row) == len(numbers) == length and abs(sum(numbers) - 1.0) <= 1e-6


def _read_game(values: Any) -> StageGame:
    """A game of the class whose options `values` names."""
    kind = MatrixGame if isinstance(values, dict) and "T" in values else PublicGoods
    _check_keys(values, [field.name for field in fields(kind)], "game")
    return kind(**values)


def _read_rows(rows: Any, asked: Sequence[History]) -> tuple[tuple[float, ...], ...]:
    """The probabilities; rows have to be those of the histories `asked`, in order."""
    if not isinstance(rows, list) or len(rows) != len(asked):
        raise PolicyTableError(f"rows: needs a list of {len(asked)}, one per history")
    for number, (row, history) in enumerate(zip(rows, asked, strict=True)):
        _check_keys(row, ("history", "probabilities"), f"rows[{number}]")
        expected = [list(joint) for joint in history]
        if row["history"] != expected or not isinstance(row["probabilities"], list):
            raise PolicyTableError(
                f'rows[{number}]: needs "history": {expected} and a list of probabilities; got {row}'
            )
    return tuple(tuple(row["probabilities"]) for row in rows)


def _check_keys(values: Any, keys: Sequence[str], place: str) -> None:
    if not isinstance(values, dict):
        raise PolicyTableError(f"{place}: needs the keys {', '.join(keys)}; got {values!r}")
    for key in keys:
        if key not in values:
            raise PolicyTableError(f"{place}: the key '{key}' is missing")
    for key in values:
        if key not in keys:
            raise PolicyTableError(f"{place}: unknown key '{key}'{nearest(key, dict.fromkeys(keys))}")
