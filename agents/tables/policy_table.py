"""An agent compiled to a table: P(action | the last k rounds) of one game. Needs no torch and pickles small.

In an agent-based model whole populations decide by one look-up:

    table = PolicyTable.load("teacher.json")
    known = table.start(2500)                             # nobody has met yet
    actions = table.act(known, rng)                       # 0 = cooperate
    known = table.after(known, actions, actions[partner])

The table equals the agent wherever the agent sees no more than the last k rounds. What an agent makes of a
longer past, or of the number of the round, is not in it.
"""

import json
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from numpy.typing import ArrayLike, NDArray

from dilemmas.agents.agent import IDLE, Agent, Decision, Player, Source, Turn, View, draw
from dilemmas.agents.models.language_model import LanguageModelAgent
from dilemmas.agents.strategies.counting import Routine
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.agents.tables.histories import History, Indices, after, histories, rounds
from dilemmas.agents.versions import dilemmas_version
from dilemmas.envs.data_files import check_keys, load_json, write_text
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.catalogue import Game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.names import lookup
from dilemmas.envs.rules.population import Population
from dilemmas.envs.theory.outcomes import is_symmetric

FORMAT = "dilemmas-policy-table"
VERSION = 1


class PolicyTableError(InputError):
    """A table that cannot be made, read or played; the message names the agent or file, and the way out."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the probabilities of a table come from."""

    agent: str
    """Name of the agent that was asked."""
    source: Source = Source.RULE
    """How the agent knows its probabilities."""
    model: str | None = None
    """Fingerprint of the weights, where the agent is a model."""
    context: str | None = None
    """Name of the social context in which the game was put."""
    template: str | None = None
    """Name and digest of the prompt template, where the agent was prompted."""
    dilemmas: str | None = None
    """Version of dilemmas that asked."""
    shuffled: bool = False
    """Whether the probabilities are the mean over all presentations of labels and order."""


@dataclass(frozen=True)
class PolicyTable:
    """P(action | the last `memory` rounds) of one game: an agent, and a look-up for arrays of agents."""

    game: StageGame
    """The game, with the payoffs under which the agent was asked."""
    memory: int
    """How many rounds back the table looks, 0 or more."""
    rows: tuple[tuple[float, ...], ...]
    """Probability of every action after each of `histories(game, memory)`, in that order."""
    origin: Origin
    masses: tuple[float, ...] | None = None
    """Probability, by row, that a reply of the model starts with a label at all; None where it was not a model."""
    player: int = 0
    """The seat from which the game is played, where the players are not alike; else 0."""

    def __post_init__(self) -> None:
        count = len(histories(self.game, self.memory, self.player))
        if len(self.rows) != count:
            wanted = f"{self.game.name} with memory {self.memory} has {count} histories"
            raise PolicyTableError(f"rows: {wanted}; got {len(self.rows)} rows")
        for number, row in enumerate(self.rows):
            if not _is_distribution(row, self.game.options[self.player]):
                wanted = f"{self.game.options[self.player]} numbers from 0 up that add up to 1"
                raise PolicyTableError(f"rows[{number}]: probabilities = {list(row)}; needs {wanted}")
        if self.masses is not None and (len(self.masses) != count or not all(map(_is_share, self.masses))):
            raise PolicyTableError(f"masses: needs {count} numbers from 0 to 1; got {list(self.masses)}")

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: cached arrays are made again, so a pickle stays small."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def name(self) -> str:
        return f"table of {self.origin.agent}"

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Probability of every action after every history, shape (histories, actions), read-only."""
        values = np.array(self.rows, dtype=np.float64)
        values.setflags(write=False)
        return values

    @cached_property
    def _ends(self) -> NDArray[np.float64]:
        """Where in [0, 1) the interval of each action but the last ends, shape (histories, actions - 1)."""
        ends = self.probabilities.cumsum(axis=1)
        rest = self.probabilities[:, :0:-1].cumsum(axis=1)[:, ::-1]  # probability of all later actions
        return np.where(rest > 0, ends[:, :-1], 1.0)  # the last possible action takes what rounding left

    @cached_property
    def _alike(self) -> bool:
        """Whether the game is the same from every seat."""
        return is_symmetric(self.game)

    def start(self, shape: int | tuple[int, ...] = ()) -> Indices:
        """The number of the empty history, for an array of agents."""
        return np.zeros(shape, dtype=np.intp)

    def act(self, index: Indices, rng: np.random.Generator) -> Indices:
        """An action for the history of every agent, same shape; 0 is the most cooperative.

        Takes one uniform number per agent from `rng`, and makes of it what `agent.draw` would.
        """
        threshold = rng.random(np.shape(index))
        return np.asarray((threshold[..., None] >= self._ends[index]).sum(axis=-1), dtype=np.intp)

    def after(self, index: Indices, own: ArrayLike, others: ArrayLike) -> Indices:
        """Numbers of the histories after one more round.

        `index`: numbers before; `own`: own actions, same shape; `others`: the other's actions, same shape, or
        with n > 2 players one more axis for the n - 1 others.
        """
        theirs = np.asarray(others)
        if self.game.n_players == 2:
            theirs = theirs[..., None]
        return after(self.game, self.memory, index, np.asarray(own), theirs, self.player)

    def index(self, played: ArrayLike) -> Indices:
        """Numbers of histories: actions, shape (..., rounds, players), own action and oldest round first."""
        actions = np.asarray(played, dtype=np.intp)
        index = self.start(actions.shape[:-2])
        for past in range(actions.shape[-2]):
            index = after(self.game, self.memory, index, actions[..., past, 0], actions[..., past, 1:], self.player)
        return index

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        """The table as an agent: `PolicyTableError` where a turn is about another game."""
        return [self._decide(turn) for turn in turns]

    def describe(self) -> Player:
        return Player(name=self.name, kind="policy_table", parameters=self.document())

    def memory_one(self) -> tuple[float, float, float, float, float]:
        """Probability to cooperate at first, and after CC, CD, DC and DD (own action first)."""
        if (self.memory, self.game.n_players, self.game.n_actions) != (1, 2, 2):
            raise PolicyTableError(
                f"{self.name}: memory {self.memory} in a game of {self.game.n_players} players with"
                f" {self.game.n_actions} actions; five numbers take memory 1, 2 players and 2 actions"
            )
        first, cc, cd, dc, dd = (row[0] for row in self.rows)
        return first, cc, cd, dc, dd

    def automaton(self) -> Automaton:
        """The table as a strategy whose states are its histories, in a game of two actions."""
        n = self.game.n_players
        if set(self.game.options) != {2}:
            raise PolicyTableError(
                f"{self.name}: {self.game.options} actions in {self.game.name}; an automaton has two"
            )
        index = np.arange(len(self.rows))
        met = [np.arange(n - 1) >= n - 1 - defectors for defectors in range(n)]
        others = [np.broadcast_to(one, (len(index), n - 1)) for one in met]
        then = [
            after(self.game, self.memory, index, np.full_like(index, own), theirs.astype(np.intp), self.player)
            for own in range(2)
            for theirs in others
        ]
        rows = tuple(map(tuple, np.stack(then, axis=-1).tolist()))
        return Automaton(self.origin.agent, tuple(row[0] for row in self.rows), rows, n)

    def document(self) -> dict[str, Any]:
        """The table as the plain values of its JSON file."""
        if not isinstance(self.game, Game):
            raise PolicyTableError(f"{self.name}: files hold the games of the catalogue, not {self.game.name}")
        masses = self.masses or [None] * len(self.rows)
        asked = zip(histories(self.game, self.memory, self.player), self.rows, masses, strict=True)
        return {
            "format": FORMAT,
            "version": VERSION,
            "origin": asdict(self.origin),
            "game": asdict(self.game),
            **({"player": self.player} if self.player else {}),
            "memory": self.memory,
            "rows": [
                {"history": _plain(history), "probabilities": list(row), "mass": mass} for history, row, mass in asked
            ],
        }

    def save(self, path: str | Path) -> None:
        """Write the JSON file, a line per history; whole or not at all."""
        document = self.document()
        rows = ",\n".join(f"    {json.dumps(row)}" for row in document.pop("rows"))
        head = "".join(f"  {json.dumps(key)}: {json.dumps(value)},\n" for key, value in document.items())
        write_text(Path(path), f'{{\n{head}  "rows": [\n{rows}\n  ]\n}}\n')

    @classmethod
    def load(cls, path: str | Path) -> "PolicyTable":
        """Read a JSON file; `PolicyTableError` names the file and the key that is wrong."""
        document = load_json(Path(path), PolicyTableError)
        try:
            return read_table(document)
        except InputError as error:
            raise PolicyTableError(f"{path}: {error}") from None

    def _decide(self, turn: Turn) -> Decision:
        view = turn.info.get("view")
        if not isinstance(view, View):
            raise PolicyTableError(f"{self.name} needs info['view'], which dilemmas's environments give")
        if view.phase != "act":
            return IDLE
        if not same_payoffs(view.game, self.game):
            raise PolicyTableError(f"{self.name} is about {self.game}; compile one for {view.game}")
        row = int(self.index(self._seen(view)))
        action = draw(self.rows[row], turn.rng)
        return Decision(action, self.rows[row], self.origin.source, self.masses[row] if self.masses else None)

    def _seen(self, view: View) -> NDArray[np.intp]:
        """The history of a view, shape (rounds, players); in a population without rounds in which it met nobody."""
        if view.player != self.player and not self._alike and not isinstance(view.rules, Population):
            raise PolicyTableError(f"{self.name} is that of player_{self.player}, not of player_{view.player}")
        rounds = [joint for joint in view.history if len(joint) > 1]
        if any(len(joint) != self.game.n_players for joint in rounds):
            met = max(map(len, rounds)) - 1
            raise PolicyTableError(f"{self.name} is about one other player, and this one has {met} neighbours")
        return np.array(rounds, dtype=np.intp).reshape(-1, self.game.n_players)


def compile_agent(
    agent: Agent, game: StageGame, memory: int, *, model: str | None = None, context: str | None = None, player: int = 0
) -> PolicyTable:
    """Ask an agent what it does after every history of up to `memory` rounds, all in one batch.

    A language model with shuffled labels is asked under all presentations of the actions, and the table holds the mean:
    it then plays as the agent does, who draws a presentation for every decision. `model` (fingerprint of the agent's
    weights) and `context` (in which it is asked) are noted in the table. `player`: the seat in which it is asked, where
    the players are not alike. Raises `PolicyTableError` where the agent gives no probabilities, and for strategies that
    look further back: the table would be another strategy.
    """
    asked = histories(game, memory, player)
    _refuse_to_forget(agent, memory)
    turns = [_question(game, history, number, player) for number, history in enumerate(asked)]
    shuffled = isinstance(agent, LanguageModelAgent) and agent.shuffle_labels
    decisions = agent.decide_on_average(turns) if isinstance(agent, LanguageModelAgent) else agent.decide(turns)
    for history, decision in zip(asked, decisions, strict=True):
        if decision.probabilities is None:
            raise PolicyTableError(
                f"agent '{agent.name}' gives no probabilities after the history {_plain(history)};"
                " a table takes exact probabilities, not sampled replies"
            )
    rows = tuple(tuple(float(p) for p in decision.probabilities or ()) for decision in decisions)
    masses = tuple(decision.mass for decision in decisions if decision.mass is not None)
    first = decisions[0]
    origin = Origin(agent.name, first.source, model, context, first.template, dilemmas_version(), shuffled)
    return PolicyTable(game, memory, rows, origin, masses or None, player)


def _refuse_to_forget(agent: Agent, memory: int) -> None:
    """`PolicyTableError` for a strategy that needs more than the last rounds of a table."""
    if not isinstance(agent, Automaton | Routine):
        return
    needed = agent.lookback if isinstance(agent, Automaton) else None
    if needed is None:
        wanted = "looks at the whole history, which no table of last rounds holds; use the strategy itself"
        raise PolicyTableError(f"strategy '{agent.name}' {wanted}")
    if needed > memory:
        wanted = f"looks at the last {needed} round{'s' * (needed > 1)}: set memory to {needed} or more"
        raise PolicyTableError(f"strategy '{agent.name}' {wanted}; memory = {memory} would make another strategy of it")


def same_payoffs(game: StageGame, other: StageGame) -> bool:
    """Whether two games are the same to their players, whatever they are called. `HistoryError` where actions are
    amounts, of which there are no tables."""
    if game.options != other.options:
        return False
    if game == other:
        return True
    if game.n_players > 2 and is_symmetric(game) != is_symmetric(other):
        return False
    return all(game.payoffs(joint) == other.payoffs(joint) for joint in rounds(game))


def read_table(document: Any) -> PolicyTable:
    """The table in the values of a JSON file; `InputError` names the key that is wrong."""
    keys = ("format", "version", "origin", "game", "memory", "rows")
    check_keys(document, keys, "policy table", optional=("player",), error=PolicyTableError)
    if (document["format"], document["version"]) != (FORMAT, VERSION):
        found = f"format = {document['format']!r}, version = {document['version']!r}"
        raise PolicyTableError(f"{found}; this dilemmas reads {FORMAT!r}, version {VERSION}")
    noted = document["origin"]
    check_keys(noted, [field.name for field in fields(Origin)], "origin", error=PolicyTableError)
    source = lookup("source", str(noted["source"]), {source.value: source for source in Source}, "origin")
    game = _read_game(document["game"])
    player = document.get("player", 0)
    if player not in range(game.n_players):
        raise PolicyTableError(f"player = {player!r}; needs a seat from 0 to {game.n_players - 1}")
    rows, masses = _read_rows(document["rows"], histories(game, document["memory"], player))
    return PolicyTable(game, document["memory"], rows, Origin(**noted | {"source": source}), masses, player)


def _question(game: StageGame, history: History, number: int, player: int) -> Turn:
    view = View(game=game, player=player, round=len(history), history=history)
    space = Discrete(game.options[player])
    return Turn(f"player_{player}", None, {"view": view}, space, np.random.default_rng(number))


def _is_share(value: object) -> bool:
    return isinstance(value, float | int) and 0.0 <= value <= 1.0


def _is_distribution(row: Sequence[float], length: int) -> bool:
    return len(row) == length and all(map(_is_share, row)) and abs(sum(row) - 1.0) <= 1e-6


def _plain(history: History) -> list[list[int]]:
    return [list(joint) for joint in history]


KINDS: dict[str, type[Game]] = {"T": MatrixGame, "row": BimatrixGame, "cooperate": CountGame}
"""Classes of games by a key that only they have; games without any of them are public goods."""


def _read_game(values: Any) -> StageGame:
    """A game of the kind that has the options in `values`; absent options have their defaults."""
    named = values if isinstance(values, dict) else {}
    kind = next((kind for key, kind in KINDS.items() if key in named), PublicGoods)
    options = {field.name: field.default is MISSING for field in fields(kind)}
    needed = [name for name, is_needed in options.items() if is_needed]
    optional = [name for name in options if name not in needed]
    check_keys(values, needed, "game", optional, PolicyTableError)
    try:
        game: StageGame = kind(**values)
    except TypeError as error:  # a value of a type that no option has
        raise PolicyTableError(f"game: {error}") from None
    return game


def _read_rows(rows: Any, asked: Sequence[History]) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...] | None]:
    """Probabilities and masses; the rows have to be those of the histories `asked`, in order."""
    if not isinstance(rows, list) or len(rows) != len(asked):
        raise PolicyTableError(f"rows: needs a list of {len(asked)}, one per history")
    for number, (row, history) in enumerate(zip(rows, asked, strict=True)):
        check_keys(row, ("history", "probabilities", "mass"), f"rows[{number}]", error=PolicyTableError)
        if row["history"] != _plain(history) or not isinstance(row["probabilities"], list):
            wanted = f'"history": {_plain(history)} and a list of probabilities'
            raise PolicyTableError(f"rows[{number}]: needs {wanted}; got {row}")
    masses = tuple(row["mass"] for row in rows if row["mass"] is not None)
    return tuple(tuple(row["probabilities"]) for row in rows), masses or None
