"""Documentation pages of the environments, in PettingZoo's form: what they all share is written here, once.

The docstring of an environment's module has what is its own, and marks such as ``{facts}`` for what is filled in when
it is imported: from the game, from the environment as it is by default, and from the texts below. `help()` and
`inspect.getdoc` show the whole page.
"""

from collections.abc import Sequence
from textwrap import fill
from typing import Any

from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.parallel_env import SHELL, SocialDilemma, parallel
from dilemmas.envs.rules.factory import options_of

OPTIONS = {
    "rounds": (
        "number of rounds, after which the agents are terminated; 1 is the one-shot game. Of a pair (shortest, longest)"
        " one is drawn, each number as likely, and told to nobody. None is no fixed number."
    ),
    "continuation": "probability that a round is followed by another one; else the agents are terminated.",
    "noise": "probability that an action is replaced by one of the others, each as likely (trembling hand).",
    "misperception": (
        "probability that an agent takes another one's action for one of the others, each as likely; what the agents"
        " see of the past then differs."
    ),
    "memory": "how many rounds back the agents see; None is the whole history, which needs `rounds`.",
    "clock": "whether the agents see which share of a fixed number of `rounds` is left.",
    "talk": "turns of cheap talk before the agents act. In each turn all speak at once; it costs and binds nothing.",
    "signals": "size of the alphabet they speak in, of which signal 0 is silence.",
    "words": "whether a signal may also be a text. The views have it; in observations all texts are alike.",
    "punishment": (
        "(cost, effect): once all have acted, an agent may punish each of the others by points, which cost it `cost`"
        " each and take `effect` each from the other; (1, 3) in Fehr & Gächter 2002 (Nature 415:137). None: it may not."
    ),
    "reward": "(cost, effect): the same with points that give `effect` each to the other. None: it may not.",
    "points": "most points that an agent may give each of the others in one stage of punishment or reward.",
    "max_cycles": (
        "steps after which the agents are truncated; None is 100 rounds where nothing else ends the match. A round is"
        " one step, and one more for every turn of talk, for punishment and for reward."
    ),
    "render_mode": '`"human"` (printed text), `"ansi"` (text), `"rgb_array"` (picture) or None.',
    "views": "whether infos have a view; False leaves it out, for libraries that make tensors of infos (TorchRL).",
}
"""What the options do that every environment has."""

PARTS = {
    "the last `memory` rounds, oldest first, by player and action": ("memory * n * w", "always"),
    "the step within the round, one-hot": ("talk + 1 + bool(punishment) + bool(reward)", "talk, punishment or reward"),
    "the signals of this round, by turn and player, one-hot": ("talk * n * (signals + words)", "talk"),
    "this round's actions, by player and action": ("n * w", "punishment or reward"),
    "points that sanctions moved in the last round, by player; 0.5 is none": ("n", "punishment or reward"),
    "share of the rounds that is left": ("1", "clock"),
}
"""The parts of an observation in order: their length with n players and w actions, and what they are there with."""

OBSERVATION = """A vector of numbers from 0 to 1, which with n players and w actions has these parts:

{parts}

Every agent comes first in what it sees, then the others in order. An action is one-hot, and w the number of actions of
the player who has most; an action that is a contribution in points is its share of the largest endowment, and w is 1.
What is not there yet is 0; where there is nothing to see at all, the vector is a single 0. With two players, two
actions and memory 1, `[1, 0, 0, 1]` reads: I chose action 0, the other one action 1. `state()` is what `player_0` sees,
without errors of perception.

`infos[agent]["view"]` holds the same, and the game, as a `dilemmas.envs.rules.protocol.View`. Where a round takes
several steps, `infos[agent]["action_mask"]` has a 1 for every action that belongs to the next one."""

STEPS = """With `talk`, `punishment` or `reward` a round takes several steps: every turn of talk, the action above,
punishment, reward. The space has room for the largest. In talk an action is a signal. In punishment and reward its
digits to base `points + 1` are the points for each of the others in order, the lowest digit for the first. An action
that does not belong to a step is never an error: it counts as silence, as the last action above, or as no points."""

WIDTH = 112
"""Longest line of what is filled in."""


def page(text: str | None, name: str, *actions: tuple[str, ...]) -> str:
    """The documentation page of an environment.

    `text`: the module's docstring, in which every mark in braces is replaced: ``{facts}``, ``{call}``, ``{options}``,
    ``{observation}``, ``{actions}``, ``{steps}``, ``{payoffs}``. `name`: in the catalogue. `actions`: in words, by
    index; where the players of a game for two have different ones, those of each player.
    """
    parts = [f"| {what} | `{length}` | {where} |" for what, (length, where) in PARTS.items()]
    env = parallel(name)
    marks = {
        "facts": _facts(env, name),
        "call": _call(name),
        "options": "\n\n".join(fill(f"`{one}`: {OPTIONS[one]}", WIDTH) for one in options(name) if one in OPTIONS),
        "observation": OBSERVATION.format(parts="\n".join(["| Part | Length | With |", "| :-- | :-- | :-- |", *parts])),
        "actions": _actions(actions),
        "steps": STEPS,
        "payoffs": _payoffs(env.rules.stage, actions[0], actions[-1]) if actions else "",
    }
    text = text or ""  # None with python -OO
    for mark, filling in marks.items():
        text = text.replace(f"{{{mark}}}", filling)
    return text


def options(name: str) -> dict[str, Any]:
    """All options of an environment and their defaults: those of the game, of the match, and of the shell."""
    return {**options_of(name), **SHELL}


def _rows(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _facts(env: SocialDilemma, name: str) -> str:
    """PettingZoo's table."""
    agents = [f"`{agent}`" for agent in env.possible_agents]
    choices = env.rules.spaces[0]
    facts = {
        "Creation": f'`make("parallel", "dilemmas/{name}-v0")`, `make("aec", ...)`',
        "Import": f"`from dilemmas.envs import {name}_v0`",
        "Actions": "Discrete",
        "Parallel API": "Yes (native; AEC is made from it)",
        "Manual Control": "No",
        "Agents": ", ".join(agents if len(agents) < 4 else [agents[0], "...", agents[-1]]),
        "Number of agents": str(len(agents)),
        "Action Shape": f"Discrete({choices})",
        "Action Values": "0, 1" if choices == 2 else f"0 to {choices - 1}",
        "Observation Shape": str(env.observation_spaces["player_0"].shape),
        "Observation Values": "[0, 1]",
        "State Shape": str(env.state_space.shape),
    }
    (first, creation), *others = facts.items()
    rows = [f"| {first:18} | {creation} |", "|--------------------|----------|"]
    rows += [f"| {fact:18} | {value} |" for fact, value in others]
    return "\n".join([*rows, "", "Numbers and shapes are those without options."])


def _call(name: str) -> str:
    """Python code that makes the environment with every option at its default."""
    told = [
        '"parallel"',
        f'"dilemmas/{name}-v0"',
        *(f"{option}={_literal(x)}" for option, x in options(name).items()),
    ]
    make = "pettingzoo.make("
    call = fill(f"{make}{', '.join(told)})", WIDTH, subsequent_indent=" " * len(make), break_on_hyphens=False)
    return f"```python\nimport pettingzoo\nimport dilemmas.envs\n\n{call}\n```"


def _literal(default: Any) -> str:
    return f"{default:g}" if isinstance(default, float) else repr(default)


def _actions(actions: tuple[tuple[str, ...], ...]) -> str:
    whose = ["Action"] if len(actions) == 1 else [f"Action of `player_{player}`" for player in range(len(actions))]
    body = [(str(value), *words) for value, words in enumerate(zip(*actions, strict=True))]
    return _rows([("Value", *whose), (":---:",) * (len(whose) + 1), *body])


def _payoffs(game: StageGame, mine: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    """The payoffs of a small game as a table, with the actions in words."""
    if isinstance(game, CountGame):
        head = ["others who cooperate", *map(str, range(game.n_players))]
        body = [[f"{paid:g}" for paid in row] for row in (game.cooperate, game.defect)]
    elif isinstance(game, MatrixGame):
        head = ["mine / theirs", *theirs]
        body = [[f"{symbol} = {getattr(game, symbol):g}" for symbol in row] for row in ("RS", "TP")]
    else:
        head = ["`player_0` / `player_1`", *theirs]
        columns = range(len(theirs))
        body = [[", ".join(f"{paid:g}" for paid in game.payoffs((i, j))) for j in columns] for i in range(len(mine))]
    ruler = [":--"] + [":-:"] * (len(head) - 1)
    return _rows([head, ruler, *([word, *row] for word, row in zip(mine, body, strict=True))])
