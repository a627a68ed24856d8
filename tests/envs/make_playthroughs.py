"""Golden whole matches: plays each case below and prints everything an agent or a learner can see of it.

    python tests/envs/make_playthroughs.py

rewrites the files of `tests/envs/playthroughs`, which `test_playthroughs.py` plays again and compares. After a change
of rules, payoffs, prompts or rendering, read the difference before you commit it: it is the effect of the change.

A new game needs one line in `CASES`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dilemmas.envs.numbers import format_number
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.pettingzoo_api.text_observations import InWords
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.rules.protocol import View

FOLDER = Path(__file__).with_name("playthroughs")
COMMAND = "python tests/envs/make_playthroughs.py"
PROMPTED = 2
"""Number of players whose prompts are printed; in a symmetric game the others get the same prompts."""
SHOWN_OF_A_VIEW = ("history", "said", "acted", "sanctioned", "rounds")
"""Fields of a view that are printed where they are not empty; the others are the same for all players."""


@dataclass(frozen=True)
class Playthrough:
    """A match to be printed."""

    environment: str
    """Name of the environment."""
    variant: str = ""
    """What distinguishes it from other matches in the same environment; part of the file name."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the environment."""
    actions: tuple[tuple[Any, ...], ...] = ()
    """Joint actions of the first steps; those of later steps are drawn from the legal actions."""
    seed: int = 1
    """Seed of the match, and of the actions that are drawn."""
    context: str = "friends"
    """Context of the prompts."""

    @property
    def name(self) -> str:
        return "_".join(filter(None, (self.environment, self.variant)))

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.txt"


TWO = {"rounds": 2}
CASES = (
    Playthrough("prisoners_dilemma", options={"rounds": 3, "memory": 2}, actions=((0, 0), (0, 1), (1, 1))),
    Playthrough("stag_hunt", options=TWO),
    Playthrough("snowdrift", options=TWO),
    Playthrough("harmony", options=TWO),
    Playthrough("battle_of_the_sexes", options=TWO),
    Playthrough("matrix_game", options={"T": 1.5, "R": 1, "P": 0, "S": -0.25, **TWO}),
    Playthrough("bimatrix_game", options={"row": [[3, 0, 1], [2, 2, -1]], "column": [[1, 2, 0], [0, 4.5, 1]], **TWO}),
    Playthrough("matching_pennies", options=TWO),
    Playthrough("rock_paper_scissors", options=TWO, actions=((0, 1), (2, 1))),
    Playthrough("travelers_dilemma", options={"low": 2, "high": 5, **TWO}),
    Playthrough("inspection_game", options=TWO),
    Playthrough("count_game", options={"cooperate": [0, 2, 5], "defect": [1, 4, 4], **TWO}),
    Playthrough("n_person_prisoners_dilemma", options={"n_players": 3, **TWO}),
    Playthrough("n_person_stag_hunt", options={"n_players": 3, **TWO}),
    Playthrough("n_person_snowdrift", options={"n_players": 3, **TWO}),
    Playthrough("volunteers_dilemma", options={"n_players": 3, **TWO}),
    Playthrough("n_person_harmony", options={"n_players": 3, **TWO}),
    Playthrough("public_goods", options=TWO),
    Playthrough("population", "lattice", {"n_players": 9, "game": "snowdrift", **TWO}),
    Playthrough("population", "random_pairs", {"n_players": 5, "graph": "random", "payoff": "sum", **TWO}),
    Playthrough("population", "edges", {"graph": [(0, 1), (1, 2), (1, 3)], "game": "rock_paper_scissors", **TWO}),
    Playthrough("prisoners_dilemma", "talk", {"talk": 2, **TWO}, ((1, 0), (1, 2), (0, 1))),
    Playthrough("stag_hunt", "words", {"talk": 1, "words": True, **TWO}, (("Let us hunt.", 0), (0, 0), (2, "Yes!"))),
    Playthrough("prisoners_dilemma", "punishment", {"punishment": (1, 3), **TWO}, ((0, 1), (1, 0), (0, 0), (0, 0))),
    Playthrough("public_goods", "sanctions", {"n_players": 3, "punishment": (1, 3), "reward": (1, 2), **TWO}),
    Playthrough("prisoners_dilemma", "noise", {"noise": 0.5, "rounds": 3}, ((0, 0),) * 3),
    Playthrough("prisoners_dilemma", "misperception", {"misperception": 0.5, "rounds": 3}, ((0, 0),) * 3),
    Playthrough("prisoners_dilemma", "clock", {"clock": True, "memory": None, "rounds": 3}),
    Playthrough("prisoners_dilemma", "random_length", {"rounds": (2, 4)}),
    Playthrough("prisoners_dilemma", "continuation", {"continuation": 0.6}, seed=3),
    Playthrough("prisoners_dilemma", "truncated", {"max_cycles": 2}),
    Playthrough("public_goods", "levels", {"levels": 3, "threshold": 40, "refund": True, "endowment": 15, **TWO}),
    Playthrough(
        "public_goods", "amounts", {"levels": None, "n_players": 3, "endowment": (10, 20, 30), **TWO}, ((2.5, 20, 0),)
    ),
)


def play(case: Playthrough) -> Iterator[str]:
    """The lines of a playthrough."""
    env = InWords(parallel(case.environment, render_mode="ansi", **case.options), context(case.context), observe=False)
    yield f"environment: dilemmas/{case.environment}-v0"
    yield f"options: {', '.join(f'{option}={value!r}' for option, value in case.options.items())}"
    yield f"seed: {case.seed}"
    yield f"context: {case.context}"
    yield f"agents: {', '.join(env.possible_agents)}"
    yield from _by_agent("action space", {agent: env.action_space(agent) for agent in env.possible_agents})
    rng = np.random.default_rng(case.seed)
    observations, infos = env.reset(seed=case.seed)
    yield from ("", "reset", *_seen(env, observations, infos))
    step = 0
    while env.agents:
        joint = case.actions[step] if step < len(case.actions) else _drawn(env, infos, rng)
        actions = dict(zip(env.agents, joint, strict=True))
        view = infos[env.agents[0]]["view"]
        step += 1
        yield from ("", f"step {step}: round {view.round + 1}, phase {view.phase}")
        observations, rewards, terminations, truncations, infos = env.step(actions)
        yield from _by_agent("action", {agent: repr(action) for agent, action in actions.items()})
        yield from _by_agent("payoff", {agent: format_number(reward) for agent, reward in rewards.items()})
        yield f"  terminated: {_flag(terminations)}, truncated: {_flag(truncations)}"
        yield from _seen(env, observations, infos)
    ending = env.unwrapped._current.state.ending
    yield from ("", f"ending: {ending.value if ending else 'truncated'}", "", "rendered", *env.render().splitlines())


def _seen(env: InWords, observations: Mapping[str, Any], infos: Mapping[str, Any]) -> Iterator[str]:
    """State, observations, masks, views and, until the match ends, prompts."""
    yield f"  state: {_numbers(env.state())}"
    yield from _by_agent("observation", {agent: _numbers(vector) for agent, vector in observations.items()})
    masks = {agent: _numbers(info["action_mask"]) for agent, info in infos.items() if "action_mask" in info}
    yield from _by_agent("action mask", masks)
    yield from _by_agent("view", {agent: _view(info["view"]) for agent, info in infos.items()})
    shown: dict[str, str] = {}  # who got a prompt first
    for agent in env.agents[:PROMPTED]:
        text = infos[agent]["text"]
        if text in shown:
            yield f"  prompt of {agent}: that of {shown[text]}"
        else:
            yield from (f"  prompt of {agent}", *(f"    | {line}".rstrip() for line in text.splitlines()))
        shown.setdefault(text, agent)


def _by_agent(what: str, values: Mapping[str, Any]) -> Iterator[str]:
    """One line per agent, or one for all where their values are the same."""
    if len(set(map(str, values.values()))) == 1 and len(values) > 1:
        yield f"  {what} of each agent: {next(iter(values.values()))}"
    else:
        yield from (f"  {what} of {agent}: {value}" for agent, value in values.items())


def _view(view: View) -> str:
    fields = ((name, getattr(view, name)) for name in SHOWN_OF_A_VIEW)
    return ", ".join(f"{name}={value!r}" for name, value in fields if value not in ((), None)) or "nothing yet"


def _numbers(vector: Any) -> str:
    return " ".join(f"{value:.4g}" for value in vector)


def _flag(flags: Mapping[str, bool]) -> str:
    """The flag that all agents share."""
    (shared,) = set(flags.values())
    return "yes" if shared else "no"


def _drawn(env: InWords, infos: Mapping[str, Any], rng: np.random.Generator) -> tuple[Any, ...]:
    """A joint action drawn from the legal ones; contributions are whole points."""
    rules, joint = env.unwrapped.rules, []
    for player, agent in enumerate(env.agents):
        count = rules.spaces[player]
        legal = np.flatnonzero(infos[agent].get("action_mask", np.ones(count)))
        amount = not count and float(rng.integers(rules.stage.endowments[player] + 1))
        joint.append(int(rng.choice(legal)) if count else amount)
    return tuple(joint)


def playthrough(case: Playthrough) -> str:
    """The text of a playthrough, as in its file."""
    return "\n".join(play(case)) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for stale in set(FOLDER.glob("*.txt")) - {case.path for case in CASES}:
        stale.unlink()
    for case in CASES:
        case.path.write_text(playthrough(case), encoding="utf-8")
    print(f"wrote {len(CASES)} playthroughs to {FOLDER}")
