"""The moves of well-known strategies, as expected games, and in all phases and kinds of games."""

import numpy as np
import pytest

from dilemmas.agents.agent import Source, Turn, View
from dilemmas.agents.matches.match import run_matches
from dilemmas.agents.strategies.catalogue import (
    Uniform,
    bernoulli,
    generosity,
    strategy,
)
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import DEFAULTS, Action
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated

C, D = Action.C, Action.D


def moves(one: str, other: str, rounds: int, **options: float) -> list[tuple[int, ...]]:
    """The joint actions of a match between two strategies."""
    make = lambda: parallel("prisoners_dilemma", rounds=rounds, memory=None, **options)  # noqa: E731
    (match,) = run_matches(make, [strategy(one), strategy(other)], 1, seed=0)
    return [tuple(move.played for move in step) for step in match.steps]


def cooperation(name: str, *last: int, game: StageGame = DEFAULTS["prisoners_dilemma"]) -> float:
    """Probability of cooperation after a last round, own action first, or in round 1."""
    return strategy(name).cooperation(View(game, 0, len(last) and 1, (last,) if last else ()))


@pytest.mark.parametrize(
    ("one", "other", "game"),
    [
        ("tit_for_tat", "always_defect", [(C, D), (D, D), (D, D)]),
        ("tit_for_tat", "tit_for_tat", [(C, C), (C, C), (C, C)]),
        ("always_cooperate", "always_defect", [(C, D), (C, D), (C, D)]),
        ("grim", "always_defect", [(C, D), (D, D), (D, D)]),
        ("grim", "cycler_ddc", [(C, D), (D, D), (D, C)]),
        ("downing", "tit_for_tat", [(D, C), (D, D), (C, D)]),
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
        ("memory_one_grim", [1, 1, 0, 0, 0]),
        ("suspicious_tit_for_tat", [0, 1, 0, 1, 0]),
        ("bully", [0, 0, 1, 0, 1]),
        ("firm_but_fair", [1, 1, 0, 1, 2 / 3]),
        ("random(0.3)", [0.3] * 5),
        ("gtft(0.1)", [1, 1, 0.1, 1, 0.1]),
        ("memory_one(0, 1/3, 0.25, 1e-1, 1)", [0, 1 / 3, 0.25, 0.1, 1]),
        ("reactive(1, 0.9, 0.2)", [1, 0.9, 0.2, 0.9, 0.2]),
        ("win_stay_lose_shift", [1, 1, 0, 0, 1]),
        ("generous_tit_for_tat", [1, 1, 1 / 3, 1, 1 / 3]),
    ],
)
def test_memory_one_probabilities_of_the_literature(name: str, after: list[float]) -> None:
    seen = [(), (C, C), (C, D), (D, C), (D, D)]
    assert [cooperation(name, *last) for last in seen] == pytest.approx(after)


def test_win_stay_lose_shift_corrects_a_mistake_and_tit_for_tat_does_not() -> None:
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


def test_memory_one_grim_is_grim_without_noise() -> None:
    """Against Friedman's rule, over all sequences of seven moves of the opponent."""
    for number in range(2**7):
        theirs = [number >> i & 1 for i in range(7)]
        mine: list[int] = [C]
        for other in theirs:
            mine.append(D if cooperation("memory_one_grim", mine[-1], other) == 0 else C)
        assert mine == [D if D in theirs[:i] else C for i in range(8)]


def test_grim_never_forgives_even_with_noise() -> None:
    past = ((C, D), (C, C), (C, C))
    view = View(DEFAULTS["prisoners_dilemma"], 0, 3, past)
    assert strategy("grim").cooperation(view) == 0
    assert strategy("memory_one_grim").cooperation(view) == 1


@pytest.mark.parametrize("others", [(C, C, C), (C, C, D), (C, D, D), (D, D, D)])
def test_tit_for_tat_in_a_group_copies_the_majority(others: tuple[int, ...]) -> None:
    expected = 1 if others.count(C) * 2 >= len(others) else 0
    assert cooperation("tit_for_tat", D, *others, game=PublicGoods()) == expected
    assert cooperation("tit_for_tat", D, C, D, game=PublicGoods(n_players=3)) == 1  # just half


def test_with_levels_a_strategy_contributes_all_or_nothing() -> None:
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


def test_the_frequency_of_cooperation_of_random() -> None:
    make = lambda: parallel("prisoners_dilemma", rounds=20)  # noqa: E731
    played = [
        move.decision.action
        for match in run_matches(make, [bernoulli(0.3), strategy("random")], 100, seed=1)
        for move, _ in match.steps
    ]
    standard_error = (0.3 * 0.7 / len(played)) ** 0.5
    assert abs(played.count(C) / len(played) - 0.3) < 4 * standard_error


def decided(name: str, *agents: object, **options: object) -> list[list[object]]:
    """ActionArray of a match, step by step."""
    (match,) = run_matches(lambda: parallel(name, **options), agents, 1, seed=0)
    return [[move.decision.action for move in step] for step in match.steps]


def test_strategies_are_silent_and_do_not_punish() -> None:
    options = {"talk": 2, "punishment": (1, 3), "reward": (1, 3), "rounds": 2}
    tft, alld = strategy("tft"), strategy("alld")
    quiet = [[0, 0]]
    first = [*quiet * 2, [C, D], *quiet * 2]
    second = [*quiet * 2, [D, D], *quiet * 2]
    assert decided("prisoners_dilemma", tft, alld, **options) == first + second


def test_played_actions_are_recorded_in_every_phase_that_shows_them() -> None:
    make = lambda: parallel("prisoners_dilemma", talk=1, punishment=(1, 3), rounds=40, noise=0.3)  # noqa: E731
    (match,) = run_matches(make, [Uniform(), strategy("allc")], 1, seed=0)
    spoken, acted, punished = (match.steps[phase::3] for phase in range(3))
    assert all(move.played == move.decision.action for step in spoken for move in step)
    trembled = [step[1].played != C for step in acted]
    assert 0 < sum(trembled) < len(trembled)
    assert {move.played for step in punished for move in step} == {None}
    for (mine, theirs), (punisher, _) in zip(acted, punished, strict=True):
        table = {(C, C): 3.0, (C, D): 0.0, (D, C): 5.0, (D, D): 1.0}
        assert mine.reward == table[mine.played, theirs.played]
        assert punisher.reward == -1.0 * punisher.decision.action


def test_cooperation_is_judged_by_seat() -> None:
    """The cooperative action is the first of the row player and the second of the column player."""
    game = stage_game("bimatrix_game", row=[[0, 0], [0, 0]], column=[[0, 0], [0, 0]], degrees=[[1.0, 0.0], [0.0, 1.0]])
    for player, kind in ((0, 1), (1, 0)):  # the other's kind action by seat
        for theirs in (0, 1):
            view = View(game, player, 1, ((0, theirs),))
            assert strategy("tft").cooperation(view) == (theirs == kind)


def test_amounts_are_all_or_nothing_and_a_single_action_is_played() -> None:
    steps = decided("public_goods", strategy("tft"), strategy("alld"), n_players=2, levels=None, rounds=2)
    assert steps == [[[20.0], [0.0]], [[0.0], [0.0]]]
    dictator = {"row": [[4], [0]], "column": [[0], [4]]}
    assert decided("bimatrix_game", strategy("alld"), strategy("alld"), rounds=1, **dictator) == [[1, 0]]


def test_a_player_without_a_partner_starts_from_the_beginning() -> None:
    rules = Repeated(DEFAULTS["prisoners_dilemma"], population=Population(3))
    assert strategy("tft").cooperation(View(rules.stage, 2, 1, ((D,),), rules=rules)) == 1
    assert strategy("tft").cooperation(View(rules.stage, 2, 1, ((C, D),), rules=rules)) == 0


def test_uniform_play_draws_from_the_whole_mask() -> None:
    agents = [Uniform()] * 3
    steps = decided("public_goods", *agents, n_players=3, talk=1, signals=3, punishment=(1, 3), points=1, rounds=200)
    for phase, options in enumerate((3, 2, 4)):
        taken = [action for step in steps[phase::3] for action in step]
        shares = np.bincount(taken, minlength=options) / len(taken)
        assert len(shares) == options
        assert shares == pytest.approx([1 / options] * options, abs=0.1)
    amounts = decided("public_goods", *agents, n_players=3, levels=None, rounds=200)
    assert np.mean(amounts) == pytest.approx(10, abs=1)
    assert np.min(amounts) < 1 < 19 < np.max(amounts)
