"""Any environment with any options passes PettingZoo's own tests; hypothesis draws from the whole catalogue."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, composite
from pettingzoo.test import (
    api_test,
    max_cycles_test,
    parallel_api_test,
    parallel_seed_test,
    render_test,
    seed_test,
)
from pettingzoo.test.state_test import state_test
from pettingzoo.utils.env import AECEnv

from dilemmas.envs.games.catalogue import ENVIRONMENTS
from dilemmas.envs.pettingzoo_api.parallel_env import aec, parallel

pytestmark = [
    pytest.mark.filterwarnings("error"),
    pytest.mark.filterwarnings("ignore:.*all zeros"),  # what is seen before the first round
    pytest.mark.filterwarnings("ignore:.*is a single number"),  # what is seen with memory 0
]

COUNTED = [name for name in ENVIRONMENTS if name.startswith("n_person") or name == "volunteers_dilemma"]
SYMMETRIC = ("prisoners_dilemma", "snowdrift", "stag_hunt", "harmony", "rock_paper_scissors", "battle_of_the_sexes")


@composite
def environments(draw: DrawFn) -> tuple[str, dict[str, Any]]:
    """A name and options."""
    name = draw(st.sampled_from([*ENVIRONMENTS, "population"]))
    rounds = draw(st.none() | st.integers(1, 9) | st.sampled_from([(1, 4), (3, 3)]))
    options: dict[str, Any] = {
        "rounds": rounds,
        "continuation": draw(st.sampled_from([1.0, 1.0, 0.7, 0.0])),
        "noise": draw(st.sampled_from([0.0, 0.2, 1.0])),
        "memory": draw(st.integers(0, 3) if rounds is None else st.none() | st.integers(0, 3)),
        "clock": isinstance(rounds, int) and draw(st.booleans()),
        "max_cycles": draw(st.none() | st.integers(1, 12)),
        "views": draw(st.booleans()),
    }
    if name == "population":
        return name, options | draw(populations())
    options |= {"misperception": draw(st.sampled_from([0.0, 0.3, 1.0]))} | draw(stages(name))
    if options.get("levels", 2) is not None:
        options |= draw(phases())
    return name, options


@composite
def stages(draw: DrawFn, name: str) -> dict[str, Any]:
    """Options of a game."""
    points = st.integers(-9, 9) | st.sampled_from([0.5, -2.25])
    if name == "matrix_game":
        return {symbol: draw(points) for symbol in "TRPS"}
    if name == "bimatrix_game":
        rows, columns = draw(st.integers(1, 4)), draw(st.integers(2, 4))
        table = st.lists(st.lists(points, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
        return {"row": draw(table), "column": draw(table)}
    if name == "count_game":
        n = draw(st.integers(2, 4))
        return {side: draw(st.lists(points, min_size=n, max_size=n)) for side in ("cooperate", "defect")}
    if name == "travelers_dilemma":
        return {"low": 2, "high": draw(st.integers(3, 12))}
    if name == "public_goods":
        n = draw(st.integers(2, 4))
        each = st.sampled_from([5, 7.5, 20])
        return {
            "n_players": n,
            "endowment": draw(each | st.tuples(*[each] * n)),
            "levels": draw(st.none() | st.integers(2, 4)),
            **draw(st.sampled_from([{}, {"threshold": 9}, {"threshold": 9, "refund": True}])),
        }
    return {"n_players": draw(st.integers(3, 5))} if name in COUNTED else {}


@composite
def phases(draw: DrawFn) -> dict[str, Any]:
    """Talk and sanctions."""
    sanction = st.none() | st.sampled_from([(1, 3), (0.5, 0), (0, 1)])
    return {
        "talk": draw(st.sampled_from([0, 0, 1, 2])),
        "signals": draw(st.integers(2, 5)),
        "words": draw(st.booleans()),
        "punishment": draw(sanction),
        "reward": draw(sanction),
        "points": draw(st.integers(1, 2)),
    }


@composite
def populations(draw: DrawFn) -> dict[str, Any]:
    """A game and who meets whom."""
    graph = draw(st.sampled_from(["lattice", "ring", "small_world", "random", [(0, 1), (1, 2), (3, 1)]]))
    drawn = {
        "graph": graph,
        "game": draw(st.sampled_from(SYMMETRIC)),
        "payoff": draw(st.sampled_from(["mean", "sum"])),
    }
    if isinstance(graph, str):
        drawn["n_players"] = 9 if graph == "lattice" else draw(st.integers(5, 8))
    if graph == "small_world":
        drawn["rewiring"] = draw(st.sampled_from([0.0, 0.5, 1.0]))
    return drawn


def pass_pettingzoos_tests(name: str, options: dict[str, Any]) -> None:
    def turns(**more: Any) -> AECEnv:
        return aec(name, **{**options, **more})

    api_test(turns(), num_cycles=30)
    parallel_api_test(parallel(name, **options), num_cycles=30)
    seed_test(turns, num_cycles=15)
    parallel_seed_test(lambda: parallel(name, **options), num_cycles=15)
    state_test(turns(), parallel(name, **options))
    render_test(lambda render_mode: turns(render_mode=render_mode))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(environments())
def test_any_environment_passes(drawn: tuple[str, dict[str, Any]]) -> None:
    pass_pettingzoos_tests(*drawn)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, print_blob=True, suppress_health_check=list(HealthCheck))
@given(environments())
def test_hundreds_of_environments_pass(drawn: tuple[str, dict[str, Any]]) -> None:
    pass_pettingzoos_tests(*drawn)


class Fixed:
    """A module, as `max_cycles_test` wants one, whose environments have given options."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name = name
        self.options = {key: value for key, value in options.items() if key != "max_cycles"}

    def parallel_env(self, **more: Any) -> Any:
        return parallel(self.name, **self.options, **more)

    def env(self, **more: Any) -> Any:
        return aec(self.name, **self.options, **more)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(environments())
def test_the_clock_ends_any_environment_that_the_rules_do_not(drawn: tuple[str, dict[str, Any]]) -> None:
    name, options = drawn
    max_cycles_test(Fixed(name, {**options, "rounds": None, "continuation": 1.0, "memory": 1, "clock": False}))
