"""What the classics play, told by the expected game."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.agents.agent import Source, Turn, View, draw
from understudy.agents.match import play
from understudy.agents.strategies import STRATEGIES, MemoryOne, StrategyError, bernoulli, generosity, strategy
from understudy.envs.catalogue import UnknownNameError
from understudy.envs.games import stage_game
from understudy.envs.matrix_games import DEFAULTS, Action
from understudy.envs.parallel_env import parallel
from understudy.envs.public_goods import PublicGoods
from understudy.envs.rules import StageGame

C, D = Action.C, Action.D


def moves(one: str, other: str, rounds: int, **options: float) -> list[tuple[int, ...]]:
    """The game of two strategies."""
    make = lambda: parallel("prisoners_dilemma", rounds=rounds, **options)  # noqa: E731
    (match,) = play(make, [strategy(one), strategy(other)], 1, seed=0)
    return [tuple(move.played for move in step) for step in match.steps]


def cooperation(name: str, *last: int, game: StageGame = DEFAULTS["prisoners_dilemma"]) -> float:
    """P(cooperate) of a strategy after a last round, own action first; of its first move without one."""
    return strategy(name).cooperation(View(game, 0, len(last) and 1, (last,) if last else ()))


@pytest.mark.parametrize(
    ("one", "other", "game"),
    [
        ("tit_for_tat", "always_defect", [(C, D), (D, D), (D, D)]),
        ("tit_for_tat", "tit_for_tat", [(C, C), (C, C), (C, C)]),
        ("always_cooperate", "always_defect", [(C, D), (C, D), (C, D)]),
        ("grim", "always_defect", [(C, D), (D, D), (D, D)]),
        ("win_stay_lose_shift", "always_defect", [(C, D), (D, D), (C, D)]),
        ("win_stay_lose_shift", "win_stay_lose_shift", [(C, C), (C, C), (C, C)]),
    ],
)
def test_expected_game(one: str, other: str, game: list[tuple[int, int]]) -> None:
    assert moves(one, other, 3) == game


@pytest.mark.parametrize(
    ("name", "after"),  # P(C) at first and after CC, CD, DC, DD
    [
        ("always_cooperate", [1, 1, 1, 1, 1]),
        ("always_defect", [0, 0, 0, 0, 0]),
        ("random", [0.5, 0.5, 0.5, 0.5, 0.5]),
        ("tit_for_tat", [1, 1, 0, 1, 0]),
        ("grim", [1, 1, 0, 0, 0]),
        ("win_stay_lose_shift", [1, 1, 0, 0, 1]),
        ("generous_tit_for_tat", [1, 1, 1 / 3, 1, 1 / 3]),
    ],
)
def test_memory_one_probabilities_of_the_literature(name: str, after: list[float]) -> None:
    seen = [(), (C, C), (C, D), (D, C), (D, D)]
    assert [cooperation(name, *last) for last in seen] == pytest.approx(after)


def test_win_stay_lose_shift_mends_one_mistake_and_tit_for_tat_does_not() -> None:
    """After one defection by mistake: Nowak & Sigmund 1993, figure 1."""

    def recover(name: str) -> list[tuple[float, float]]:
        history, seen = [(D, C)], []
        for _ in range(3):
            mine, theirs = history[-1]
            history.append((1 - round(cooperation(name, mine, theirs)), 1 - round(cooperation(name, theirs, mine))))
            seen.append(history[-1])
        return seen

    assert recover("win_stay_lose_shift") == [(D, D), (C, C), (C, C)]
    assert recover("tit_for_tat") == [(C, D), (D, C), (C, D)]


def test_grim_without_trembles_never_forgives() -> None:
    """The memory-one form against Friedman's rule, over every sequence of seven moves of the other."""
    for number in range(2**7):
        theirs = [number >> i & 1 for i in range(7)]
        mine: list[int] = [C]
        for other in theirs:
            mine.append(D if cooperation("grim", mine[-1], other) == 0 else C)
        assert mine == [D if D in theirs[:i] else C for i in range(8)]


@pytest.mark.parametrize("others", [(C, C, C), (C, C, D), (C, D, D), (D, D, D)])
def test_tit_for_tat_among_many_follows_at_least_half_of_the_others(others: tuple[int, ...]) -> None:
    expected = 1 if others.count(C) * 2 >= len(others) else 0
    assert cooperation("tit_for_tat", D, *others, game=PublicGoods()) == expected
    assert cooperation("tit_for_tat", D, C, D, game=PublicGoods(n_players=3)) == 1  # just half


def test_with_many_levels_a_strategy_gives_all_or_nothing() -> None:
    game = PublicGoods(levels=5, n_players=2)  # contributions 20, 15, 10, 5, 0
    turn = Turn("player_0", None, {"view": View(game, 0, 1, ((0, 2),))}, None, np.random.default_rng(0))
    (decision,) = strategy("tit_for_tat").decide([turn])
    assert decision.probabilities == (1, 0, 0, 0, 0)  # half of the endowment counts as cooperation
    turn = Turn("player_0", None, {"view": View(game, 0, 1, ((0, 3),))}, None, np.random.default_rng(0))
    (decision,) = strategy("tit_for_tat").decide([turn])
    assert (decision.action, decision.probabilities, decision.source) == (4, (0, 0, 0, 0, 1), Source.RULE)


def test_generosity_follows_the_payoffs() -> None:
    assert generosity(DEFAULTS["prisoners_dilemma"]) == pytest.approx(1 / 3)  # T5 R3 P1 S0
    game = stage_game("prisoners_dilemma", T=10, R=8, P=1, S=0)
    assert generosity(game) == pytest.approx(3 / 4)  # 1 - 2/8 = .75 < 7/9


def test_random_cooperates_as_often_as_it_says() -> None:
    make = lambda: parallel("prisoners_dilemma", rounds=20)  # noqa: E731
    played = [
        move.decision.action
        for match in play(make, [bernoulli(0.3), strategy("random")], 100, seed=1)
        for move, _ in match.steps
    ]
    standard_error = (0.3 * 0.7 / len(played)) ** 0.5
    assert abs(played.count(C) / len(played) - 0.3) < 4 * standard_error


@pytest.mark.parametrize("alias", ["tft", "TFT", "tit-for-tat", "Tit for Tat"])
def test_aliases(alias: str) -> None:
    assert strategy(alias).name == "tit_for_tat"


def test_names_and_aliases_are_all_different() -> None:
    names = [name for entry in STRATEGIES for name in (entry.strategy.name, *entry.aliases)]
    assert len(names) == len(set(names))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'tit_for_tat'"):
        strategy("tit_for_tatt")


def test_described_strategies_can_be_made_again() -> None:
    for entry in STRATEGIES:
        player = entry.strategy.describe()
        assert MemoryOne(player.name, **player.parameters) == entry.strategy


def test_what_cannot_be_played_is_refused() -> None:
    with pytest.raises(StrategyError, match=r"cd = 1.5; a probability"):
        MemoryOne("mine", 1, 1, 1.5, 1, 0)
    game = DEFAULTS["prisoners_dilemma"]
    with pytest.raises(StrategyError, match="set memory to 1"):
        strategy("tft").cooperation(View(game, 0, 3, ()))
    assert strategy("alld").cooperation(View(game, 0, 3, ())) == 0  # never looks
    turn = Turn("player_0", None, {}, None, np.random.default_rng(0))
    with pytest.raises(StrategyError, match=r"needs info\['view'\]"):
        strategy("tft").decide([turn])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any), st.integers(0, 2**32 - 1))
def test_draw_takes_only_what_is_possible(weights: list[int], seed: int) -> None:
    probabilities = [weight / sum(weights) for weight in weights]
    assert weights[draw(probabilities, np.random.default_rng(seed))] > 0


def test_draw_follows_the_probabilities_and_a_sure_thing_takes_no_number() -> None:
    rng = np.random.default_rng(3)
    drawn = np.bincount([draw((0.2, 0.0, 0.5, 0.3), rng) for _ in range(10_000)], minlength=4) / 10_000
    assert drawn == pytest.approx([0.2, 0.0, 0.5, 0.3], abs=0.02)
    before = rng.bit_generator.state
    assert draw((0.0, 1.0), rng) == 1
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("wrong", [(0.5, 0.4), (1.5, -0.5), (float("nan"), 1.0), ()])
def test_draw_refuses_what_is_no_distribution(wrong: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="not a distribution"):
        draw(wrong, np.random.default_rng(0))
