"""Exact expectations against the enumeration of all paths and against theory on long matches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from dilemmas.agents.engines import chains
from dilemmas.agents.engines.chains import play_chains
from dilemmas.agents.engines.cycles import play_cycle
from dilemmas.agents.engines.horizons import geometric
from dilemmas.agents.engines.requirements import EngineError
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.strategies.finite_state import Automaton, memory_one, punishment_of_defectors
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.protocol import State
from dilemmas.envs.rules.repeated import Repeated

PD = "prisoners_dilemma"


TFT = memory_one("tit_for_tat", 1, 1, 0, 1, 0)


WSLS = memory_one("win_stay_lose_shift", 1, 1, 0, 0, 1)


ALLD = memory_one("always_defect", 0, 0, 0, 0, 0)


MIXED = memory_one("mixed", 0.7, 0.9, 0.2, 0.6, 0.35)


OTHER = memory_one("other", 0.4, 0.8, 0.15, 0.55, 0.3)


def random_automaton(rng: np.random.Generator, states: int, players: int = 2, chance: bool = True) -> Automaton:
    cooperate = rng.random(states) if chance else rng.integers(0, 2, states)
    after = rng.integers(0, states, (states, 2 * players))
    return Automaton("any", tuple(map(float, cooperate)), tuple(map(tuple, after.tolist())), players)


@dataclass
class Truth:
    """Probability-weighted sums over all paths."""

    payoffs: Any = 0.0
    squares: Any = 0.0
    moves: Any = 0.0
    outcomes: Any = 0.0


def enumerate_paths(rules: Repeated, group: Sequence[Automaton]) -> Truth:
    """Enumerate every path of a match by the rules themselves, with the probabilities of the strategies as agents."""
    n, truth = rules.n_players, Truth()
    shortest, longest = rules.rounds if isinstance(rules.rounds, tuple) else (rules.rounds, rules.rounds)
    steady = replace(rules, noise=0.0, continuation=1.0, rounds=longest, memory=longest)
    rng = np.random.default_rng(0)

    def play_on(state: State, weight: float, total: Any, moves: Any, outcomes: Any) -> None:
        views = [steady.view(state, seat) for seat in range(n)]
        chances = [one.cooperation(view) for one, view in zip(group, views, strict=True)]
        chances = [p * (1 - rules.noise) + (1 - p) * rules.noise for p in chances]
        for joint in np.ndindex(*(2,) * n):
            likely = weight * float(np.prod([p if a == 0 else 1 - p for p, a in zip(chances, joint, strict=True)]))
            if likely:
                then = steady.step(state, joint, rng)
                paid = np.array(then.payoffs)
                if steady.punishment:
                    views = [steady.view(then.state, seat) for seat in range(n)]
                    given = [punishment_of_defectors(view) if g.punishes else 0 for g, view in zip(group, views)]  # noqa: B905
                    then = steady.step(then.state, given, rng)
                    paid = paid + then.payoffs
                end(then.state, likely, total + paid, *counted(state, joint, moves, outcomes))

    def counted(state: State, joint: tuple[int, ...], moves: Any, outcomes: Any) -> tuple[Any, Any]:
        moves, outcomes = moves.copy(), outcomes.copy()
        for seat in range(n):
            saw = [n * played[seat] + sum(played) - played[seat] for played in (*state.history[-1:], joint)]
            moves[seat, 1 + saw[0] if state.history else 0, joint[seat]] += 1
            outcomes[seat, saw[-1]] += 1
        return moves, outcomes

    def end(state: State, weight: float, total: Any, moves: Any, outcomes: Any) -> None:
        at = state.round  # the clock stops here with the chance that it was drawn, given that it did not stop before
        stops = 0.0 if at < shortest else 1 / (longest - at + 1)
        on = (1 - stops) * rules.continuation
        for field, value in (("payoffs", total), ("squares", total**2), ("moves", moves), ("outcomes", outcomes)):
            setattr(truth, field, getattr(truth, field) + weight * (1 - on) * value)
        if on:
            play_on(state, weight * on, total, moves, outcomes)

    play_on(steady.start(rng), 1.0, np.zeros(n), np.zeros((n, 1 + 2 * n, 2)), np.zeros((n, 2 * n)))
    return truth


def assert_true(tally: Tally, truth: Truth) -> None:
    assert tally.payoffs[0] == pytest.approx(truth.payoffs)
    assert tally.variance == pytest.approx(truth.squares - truth.payoffs**2, abs=1e-9)
    assert tally.moves[0] == pytest.approx(truth.moves)
    assert tally.outcomes[0] == pytest.approx(truth.outcomes)


LENGTHS: list[dict[str, Any]] = [
    {"rounds": 1},
    {"rounds": 5},
    {"rounds": (2, 5)},
    {"rounds": 5, "continuation": 0.7},
    {"rounds": (2, 5), "continuation": 0.8},
    {"rounds": 5, "continuation": 0.0},
]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_every_path_of_two_players(length: dict[str, Any], noise: float) -> None:
    rules, rng = rules_of(PD, noise=noise, **length), np.random.default_rng(1)
    groups = [(TFT, MIXED), (MIXED, OTHER), (random_automaton(rng, 3), random_automaton(rng, 4)), (TFT, WSLS)]
    for tally, group in zip(play_chains(rules, groups), groups, strict=True):
        assert_true(tally, enumerate_paths(rules, group))


@pytest.mark.parametrize("length", [{"rounds": 3}, {"rounds": (1, 3), "continuation": 0.8}])
def test_every_path_of_three_players_some_of_whom_punish(length: dict[str, Any]) -> None:
    rules = rules_of("public_goods", n_players=3, noise=0.1, punishment=(1, 3), points=2, **length)
    rng = np.random.default_rng(2)
    groups = [
        (MIXED, replace(random_automaton(rng, 3, players=3), punishes=True), TFT),
        (replace(TFT, punishes=True), replace(OTHER, punishes=True), random_automaton(rng, 2, players=3)),
        (TFT, MIXED, ALLD),
    ]
    for tally, group in zip(play_chains(rules, groups), groups, strict=True):
        assert_true(tally, enumerate_paths(rules, group))


def test_every_path_of_an_asymmetric_game() -> None:
    rules = rules_of("battle_of_the_sexes", rounds=4, noise=0.05)
    assert_true(play_chains(rules, [(MIXED, WSLS)])[0], enumerate_paths(rules, (MIXED, WSLS)))


@pytest.mark.parametrize(
    "length", [{"rounds": 37}, {"rounds": (5, 40)}, {"continuation": 0.9}, {"rounds": (5, 40), "continuation": 0.95}]
)
def test_cycles_and_chains_agree_on_deterministic_matches(length: dict[str, Any]) -> None:
    rules, rng = rules_of(PD, **length), np.random.default_rng(3)
    groups = [tuple(random_automaton(rng, s, chance=False) for s in rng.integers(1, 7, 2)) for _ in range(60)]
    for ours, group in zip(play_chains(rules, groups), groups, strict=True):
        theirs = play_cycle(rules, group)
        assert ours.rounds == pytest.approx(theirs.rounds)
        assert ours.payoffs == pytest.approx(theirs.payoffs)
        assert ours.variance == pytest.approx(theirs.variance, abs=1e-9)
        assert ours.moves == pytest.approx(theirs.moves)
        assert ours.outcomes == pytest.approx(theirs.outcomes)


@pytest.mark.parametrize("length", [{"rounds": 50}, {"continuation": 0.98}])
def test_seats_do_not_matter_in_a_symmetric_game(length: dict[str, Any]) -> None:
    one, other = play_chains(rules_of(PD, noise=0.02, **length), [(MIXED, TFT), (TFT, MIXED)])
    assert one.payoffs[:, ::-1] == pytest.approx(other.payoffs, rel=1e-12)
    assert one.moves[:, ::-1] == pytest.approx(other.moves, rel=1e-12)
    assert one.variance is not None
    assert one.variance[::-1] == pytest.approx(other.variance, rel=1e-12)


@pytest.mark.parametrize("length", [{"rounds": 20}, {"continuation": 0.9}])
def test_a_group_does_not_depend_on_the_others_in_its_batch(
    length: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, rng = rules_of(PD, noise=0.01, **length), np.random.default_rng(4)
    players = [random_automaton(rng, states) for states in (1, 2, 3, 5, 8)]
    groups = [(one, other) for one in players for other in players]
    together = play_chains(rules, groups)
    monkeypatch.setattr(chains, "CHUNK", 64)
    for one, group, beside in zip(play_chains(rules, groups), groups, together, strict=True):
        (alone,) = play_chains(rules, [group])
        for field in ("payoffs", "variance", "moves", "outcomes"):
            assert np.array_equal(getattr(alone, field), getattr(beside, field)), field
            assert np.array_equal(getattr(one, field), getattr(beside, field)), field


def test_counts_add_up_to_the_rounds_and_reproduce_the_strategy() -> None:
    for length in ({"rounds": 200}, {"rounds": (100, 300)}, {"continuation": 0.99}):
        (tally,) = play_chains(rules_of(PD, noise=0.05, **length), [(MIXED, OTHER)])
        assert tally.outcomes.sum(axis=-1) == pytest.approx(np.full((1, 2), tally.rounds[0]))
        assert tally.moves.sum(axis=(-1, -2)) == pytest.approx(np.full((1, 2), tally.rounds[0]))
        played = tally.moves[0, 0, :, 0] / tally.moves[0, 0].sum(axis=-1)
        meant = np.array([0.7, 0.9, 0.2, 0.6, 0.35])
        assert played == pytest.approx(0.95 * meant + 0.05 * (1 - meant))


def test_noise_is_independent_between_players_and_rounds() -> None:
    """Payoffs of each round are independent then: means and variances add."""
    e, rounds = 0.01, 200
    (tally,) = play_chains(rules_of(PD, rounds=rounds, noise=e), [(ALLD, ALLD)])
    points, chances = np.array([3, 0, 5, 1]), np.array([e * e, e * (1 - e), (1 - e) * e, (1 - e) ** 2])
    mean = chances @ points
    assert tally.payoffs[0] == pytest.approx([rounds * mean] * 2, rel=1e-13)
    assert tally.variance == pytest.approx([rounds * (chances @ points**2 - mean**2)] * 2, rel=1e-9)


def press_dyson(p: Sequence[float], q: Sequence[float], f: Sequence[float]) -> float:
    """The determinant whose ratio gives mean payoffs of endless matches (Press & Dyson 2012, PNAS 109:10409)."""
    rows = [(a * b - 1, a - 1, b - 1, g) for a, b, g in zip(p, (q[0], q[2], q[1], q[3]), f, strict=True)]
    rows[1] = (p[1] * q[2], p[1] - 1, q[2], f[1])
    rows[2] = (p[2] * q[1], p[2], q[1] - 1, f[2])
    rows[3] = (p[3] * q[3], p[3], q[3], f[3])
    return float(np.linalg.det(rows))


def test_long_matches_of_memory_one_strategies_have_the_payoffs_of_press_and_dyson() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.uniform(0.05, 0.95, (30, 2, 4))
    groups = [tuple(memory_one("any", 0.5, *v) for v in pair) for pair in vectors.tolist()]
    for tally, (p, q) in zip(play_chains(rules_of(PD, continuation=1 - 1e-8), groups), vectors, strict=True):
        expected = [press_dyson(p, q, f) / press_dyson(p, q, [1] * 4) for f in ([3, 0, 5, 1], [3, 5, 0, 1])]
        assert tally.payoffs[0] / tally.rounds == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("over", [1e-4, 1e-8, 1.1e-10])
def test_random_play_earns_the_mean_of_the_payoffs_however_long_the_match(over: float) -> None:
    """Tit for Tat against random play too, but for its first round, which it cooperates in: 4 or 3/2 points."""
    coin = memory_one("coin", 0.5, 0.5, 0.5, 0.5, 0.5)
    continuation = 1 - over
    alone, matched = play_chains(rules_of(PD, continuation=continuation), [(coin, coin), (coin, TFT)])
    assert alone.payoffs[0] / alone.rounds == pytest.approx([2.25, 2.25], rel=1e-12)
    first, later = np.array([4, 1.5]), np.array([2.25, 2.25])
    expected = (1 - continuation) * first + continuation * later
    assert matched.payoffs[0] / matched.rounds == pytest.approx(expected, rel=1e-12)


def test_the_variance_of_long_matches_is_that_of_a_chain_with_one_eigenvalue() -> None:
    """A player that repeats its last move with probability 0.9 has autocorrelations 0.8, 0.64, ..."""
    stubborn, rounds = memory_one("stubborn", 0.5, 0.9, 0.9, 0.1, 0.1), 4000
    points_for_its_moves = rules_of("matrix_game", rounds=rounds, T=1, R=1, P=0, S=0)
    (tally,) = play_chains(points_for_its_moves, [(ALLD, stubborn)])
    assert tally.variance is not None
    assert tally.variance[0] / rounds == pytest.approx(0.25 * (1 + 0.8) / (1 - 0.8), rel=2e-3)


def test_a_limit_that_no_match_reaches_changes_nothing() -> None:
    groups = [(MIXED, OTHER), (TFT, WSLS)]
    free, bounded = (
        play_chains(rules_of(PD, noise=0.03, continuation=0.9, rounds=rounds), groups) for rounds in (None, 400)
    )
    assert not geometric(rules_of(PD, continuation=0.9, rounds=400))
    for one, other in zip(free, bounded, strict=True):
        assert one.payoffs == pytest.approx(other.payoffs, rel=1e-12)
        assert one.variance == pytest.approx(other.variance, rel=1e-12)
        assert one.moves == pytest.approx(other.moves, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "group", "message"),
    [
        (PD, {"rounds": 9}, [TFT], "has 2 players; the group has 1: tit_for_tat"),
        (PD, {}, [TFT, TFT], "no end"),
        (PD, {"rounds": 9, "misperception": 0.1}, [TFT, TFT], "use environment"),
        ("public_goods", {"rounds": 9, "n_players": 14}, [MIXED] * 14, "use vectorised"),
    ],
)
def test_refused(name: str, options: dict[str, Any], group: list[Automaton], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        play_chains(rules_of(name, **options), [group])
