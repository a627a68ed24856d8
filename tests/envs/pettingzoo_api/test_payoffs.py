"""Payoffs against the literature, as the environments pay them, and that they are written once."""

from typing import Any

import pettingzoo
import pytest

from dilemmas.envs.games.catalogue import ENVIRONMENTS, example_options

C, D = 0, 1


def rewards(env: Any, *joints: tuple[int, ...]) -> list[tuple[float, ...]]:
    env.reset(seed=0)
    return [tuple(env.step(dict(zip(env.agents, joint, strict=True)))[1].values()) for joint in joints]


def test_axelrods_tournament_paid_5_3_1_0() -> None:
    env = pettingzoo.make("parallel", "dilemmas/prisoners_dilemma-v0")
    assert rewards(env, (C, C), (C, D), (D, C), (D, D)) == [(3, 3), (0, 5), (5, 0), (1, 1)]


def test_snowdrift_shares_the_work() -> None:
    b, c = 4, 2  # Doebeli & Hauert 2005
    env = pettingzoo.make("parallel", "dilemmas/snowdrift-v0")
    assert rewards(env, (C, C), (C, D), (D, D)) == [(b - c / 2, b - c / 2), (b - c, b), (0, 0)]


def test_a_hare_is_worth_the_same_whatever_the_other_hunts() -> None:
    env = pettingzoo.make("parallel", "dilemmas/stag_hunt-v0")
    (stag, _), (alone, hare), (_, both_hare) = rewards(env, (C, C), (C, D), (D, D))
    assert hare == both_hare
    assert alone < hare < stag


def test_cooperation_dominates_in_harmony() -> None:
    env = pettingzoo.make("parallel", "dilemmas/harmony-v0")
    (both, _), (alone, exploiter), (neither, _) = rewards(env, (C, C), (C, D), (D, D))
    assert both > exploiter
    assert alone > neither


@pytest.mark.parametrize(("n", "multiplier", "levels"), [(2, 1.5, 2), (4, 1.6, 5), (10, 0.4, 3)])
def test_public_goods_in_closed_form(n: int, multiplier: float, levels: int) -> None:
    options = {"n_players": n, "endowment": 20, "multiplier": multiplier, "levels": levels}
    env = pettingzoo.make("parallel", "dilemmas/public_goods-v0", **options)
    all_give, none_gives, one_gives = rewards(env, (0,) * n, (levels - 1,) * n, (0, *[levels - 1] * (n - 1)))
    assert all_give == pytest.approx([20 * multiplier] * n)
    assert none_gives == pytest.approx([20] * n)
    assert one_gives == pytest.approx([20 * multiplier / n] + [20 + 20 * multiplier / n] * (n - 1))


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_turn_based_play_pays_the_same(name: str) -> None:
    options = {"noise": 0.3, "max_cycles": 20, **example_options(name)}
    native, turns = (pettingzoo.make(kind, f"dilemmas/{name}-v0", **options) for kind in ("parallel", "aec"))
    native.reset(seed=4)
    turns.reset(seed=4)
    while native.agents:
        actions = {agent: player % 2 for player, agent in enumerate(native.agents)}
        expected = native.step(actions)[1]
        for agent in actions:
            assert turns.agent_selection == agent
            turns.step(actions[agent])
        assert turns.rewards == expected
    assert all(turns.truncations.values())
