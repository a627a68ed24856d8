"""Documentation pages of the environments, in PettingZoo's form: generates their common parts and checks them.

    python -m dilemmas.envs.pettingzoo_api.env_pages

rewrites the modules ``dilemmas/envs/NAME_v0.py`` whose page no longer agrees with the game, its options or its payoffs,
and creates the module of a game of the catalogue that has none. A page is the docstring of its module. The
prose about one game is written there and kept; these parts are generated: the title, the table of facts, the
example call, the options that all environments have, the observation space, the note on steps and the payoff table.
The words for the actions are those in the action table of the page.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.catalogue import ENVIRONMENTS, GAMES, POPULATION, example_options, game_options, title
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.n_player import CountGame
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.page_texts import NOTE, OBSERVATION, OPTIONS, PARTS, STEPS
from dilemmas.envs.pettingzoo_api.parallel_env import PETTINGZOO_OPTIONS, SocialDilemma, parallel
from dilemmas.envs.rules.factory import options_of

PAGES = (*ENVIRONMENTS, POPULATION)
"""Names of the environments, each of which has a module and a page."""

SECTIONS = ("Arguments", "Observation Space", "Action Space", "Rewards", "Version History")
"""Headings of a page, in order."""

WIDTH = 112
"""Largest length of a generated line of prose, in characters."""

CODE_WIDTH = 88
"""Largest length of a generated line of code, in characters: a code block is not wrapped where it is shown."""

CODE = """
from functools import partial

from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

__all__ = ["env", "parallel_env", "raw_env"]

parallel_env = partial(parallel, "{name}")
raw_env = partial(aec, "{name}")
env = raw_env  # `aec` already checks the order of calls
"""
"""What follows the page in the module of an environment."""


def environment_options(name: str) -> dict[str, Any]:
    """All options of an environment and their defaults: those of the game, of the match, and of `parallel`."""
    return {**options_of(name), **PETTINGZOO_OPTIONS}


def module_path(name: str) -> Path:
    """The file of an environment's module."""
    return Path(__file__).resolve().parents[1] / f"{name}_v0.py"


def generated_module(name: str, current: str) -> str:
    """The source of an environment's module with all generated parts up to date.

    Parameters
    ----------
    name
        Name of the environment.
    current
        The present source of the module, whose prose is kept; empty for a module that does not exist yet.

    Raises
    ------
    GameError
        If the page does not have the five sections, or its action table does not have one row per action.
    """
    found = re.match(r'"""\n(.*?)\n"""\n', current, re.DOTALL)
    page = environment_page(name, found[1] if found else _draft(name))
    return f'"""\n{page}\n"""\n{CODE.format(name=name)}'


def outdated_pages() -> list[str]:
    """Names of the environments whose module is missing or differs from the generated one."""
    return [name for name in PAGES if (source := _source(name)) != generated_module(name, source)]


def environment_page(name: str, text: str) -> str:
    """A page with its generated parts up to date; `text` is the present page. Raises as `generated_module`."""
    intro, *parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    if tuple(parts[::2]) != SECTIONS:
        raise GameError(f"{name}_v0: sections {', '.join(parts[::2])}; needs {', '.join(SECTIONS)}")
    arguments, observation, actions, rewards, history = map(_paragraphs, parts[1::2])
    env, is_game = parallel(name, **example_options(name)), name in GAMES
    bodies = (
        _arguments(name, arguments),
        [_observation()] if is_game else observation,
        [*(part for part in actions if not part.startswith(STEPS[:24])), *([STEPS] if is_game else [])],
        _rewards(name, env.rules.stage, actions, rewards),
        history,
    )
    sections = [part for heading, body in zip(SECTIONS, bodies, strict=True) for part in (f"### {heading}", *body)]
    return "\n\n".join([*_intro(env, name, _paragraphs(intro)), *sections])


def _source(name: str) -> str:
    path = module_path(name)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a text; a fenced code block is one paragraph."""
    blocks = re.findall(r"```.*?```|(?:(?!```).)+", text, re.DOTALL)
    return [
        part.strip("\n")
        for block in blocks
        for part in ([block] if block.startswith("```") else re.split(r"\n\s*\n", block))
        if part.strip()
    ]


def _intro(env: SocialDilemma, name: str, present: Sequence[str]) -> list[str]:
    """Title, facts and the paragraphs about the game."""
    own = [part for part in present if not part.startswith(("# ", "|", NOTE[:24]))]
    return [f"# {title(name)}", _facts(env, name), NOTE, *own]


def _arguments(name: str, present: Sequence[str]) -> list[str]:
    """The example call, the options of the game as the page describes them, and the options that all have."""
    own = [part for part in present if not part.startswith("```") and _described(part) not in OPTIONS]
    known = [option for option in environment_options(name) if option in OPTIONS]
    return [_call(name), *own, *(fill(f"`{option}`: {OPTIONS[option]}", WIDTH) for option in known)]


def _described(paragraph: str) -> str:
    """The first option that a paragraph describes; empty where it describes none."""
    found = re.match(r"`(\w+)`", paragraph)
    return found[1] if found else ""


def _observation() -> str:
    parts = [("Part", "Length", "With"), (":--",) * 3]
    parts += [(part, f"`{length}`", where) for part, (length, where) in PARTS.items()]
    return OBSERVATION.format(parts=_rows(parts))


def _rewards(name: str, game: StageGame, actions: Sequence[str], present: Sequence[str]) -> list[str]:
    """The section on rewards, with the payoff table in place of the present one, or at the end."""
    words = _action_words(name, game, actions)
    if not words:
        return list(present)
    table = _payoffs(game, words[0], words[-1])
    shown = [table if part.startswith("|") else part for part in present]
    return shown if table in shown else [*shown, table]


def _action_words(name: str, game: StageGame, actions: Sequence[str]) -> list[tuple[str, ...]]:
    """The actions in words as in the action table, once or for each player; none where it has no row per action."""
    tables = [[row.strip("| ").split(" | ") for row in part.splitlines()[2:]] for part in actions if part[0] == "|"]
    rows = tables[0] if tables else []
    if not rows or not all(value.strip().isdigit() for value, *_ in rows):
        return []
    words = [tuple(map(str.strip, column)) for column in list(zip(*rows, strict=True))[1:]]
    options = (game.n_actions,) if len(words) == 1 else game.options
    if tuple(map(len, words)) != options:
        raise GameError(f"{name}_v0: {len(rows)} rows in the action table; needs {options[0]}, one per action")
    return words


def _rows(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _facts(env: SocialDilemma, name: str) -> str:
    """PettingZoo's table of facts."""
    agents = [f"`{agent}`" for agent in env.possible_agents]
    choices = env.rules.spaces[0]
    facts = {
        "Creation": f'`make("parallel", "dilemmas/{name}-v0")`, `make("aec", ...)`',
        "Import": f"`from dilemmas.envs import {name}_v0`",
        "Actions": "Discrete",
        "Parallel API": "Yes (native; the AEC form is made from it)",
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
    return "\n".join([*rows, *(f"| {fact:18} | {value} |" for fact, value in others)])


def _call(name: str) -> str:
    """Python code that makes the environment with every option at its default."""
    options = [f"{option}={_literal(value)}" for option, value in environment_options(name).items()]
    make = "pettingzoo.make("
    arguments = ", ".join(['"parallel"', f'"dilemmas/{name}-v0"', *options])
    call = fill(f"{make}{arguments})", CODE_WIDTH, subsequent_indent=" " * len(make), break_on_hyphens=False)
    return f"```python\nimport pettingzoo\nimport dilemmas.envs\n\n{call}\n```"


def _literal(default: Any) -> str:
    if isinstance(default, float):
        return f"{default:g}"
    return f'"{default}"' if isinstance(default, str) else repr(default)


def _payoffs(game: StageGame, mine: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    """The payoffs of a small game as a table, with the actions in words."""
    if isinstance(game, CountGame):
        head = ["others who cooperate", *map(str, range(game.n_players))]
        body = [[f"{paid:g}" for paid in row] for row in (game.cooperate, game.defect)]
    elif isinstance(game, MatrixGame):
        head = ["own action / other's action", *theirs]
        body = [[f"{symbol} = {getattr(game, symbol):g}" for symbol in row] for row in ("RS", "TP")]
    else:
        head = ["`player_0` / `player_1`", *theirs]
        columns = range(len(theirs))
        body = [[", ".join(f"{paid:g}" for paid in game.payoffs((i, j))) for j in columns] for i in range(len(mine))]
    ruler = [":--"] + [":-:"] * (len(head) - 1)
    return _rows([head, ruler, *([word, *row] for word, row in zip(mine, body, strict=True))])


def _draft(name: str) -> str:
    """A draft of the page, for a game of the catalogue without one."""
    game = GAMES[name]
    actions = [("Value", "Action"), (":---:", ":----:"), *((f"{i}", f"Action {i}") for i in range(game.n_actions))]
    bodies = (
        "\n\n".join(f"`{option}`: (describe the option, its unit and its range)" for option in game_options(name)),
        "",
        _rows(actions) if game.n_actions else "(describe the actions)",
        "The payoff of the round (cite the source):",
        "* v0: Initial version",
    )
    sections = (f"### {heading}\n\n{body}" for heading, body in zip(SECTIONS, bodies, strict=True))
    return "\n\n".join(["(Describe the game in a few sentences.)", *sections])


def rewrite_pages() -> Iterator[Path]:
    """Rewrite the modules of all environments whose page is outdated; yields the path of each."""
    for name in outdated_pages():
        module_path(name).write_text(generated_module(name, _source(name)), encoding="utf-8")
        yield module_path(name)


if __name__ == "__main__":
    new = [name for name in outdated_pages() if not module_path(name).exists()]
    for path in rewrite_pages():
        print(f"wrote {path}")
    if new:
        print("an editable installation sees a new module after: pip install --no-deps -e .")
