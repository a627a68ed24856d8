"""Batched matches are bit-identical to matches of the environment."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, composite

from dilemmas.envs.checks import GameError
from dilemmas.envs.games.bimatrix import BimatrixGame
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.games.matrix_games import MatrixGame
from dilemmas.envs.games.public_goods import PublicGoods
from dilemmas.envs.games.stage_game import StageGame
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma
from dilemmas.envs.rules.networks import build_network
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.rules.stages import Sanction, Talk
from dilemmas.envs.vector.batched_views import DirectEvaluator, LookupEvaluator, evaluator_for
from dilemmas.envs.vector.vector_matches import VectorMatches, VectorStep

points = st.integers(-9, 9) | st.floats(-1e3, 1e3, width=32)
chances = st.sampled_from([0.0, 0.0, 0.01, 0.3, 1.0])


@composite
def games(draw: DrawFn) -> StageGame:
    """A stage game of any kind."""
    kind = draw(st.sampled_from(["matrix", "bimatrix", "levels", "amounts", "many"]))
    if kind == "matrix":
        return MatrixGame("matrix_game", **{symbol: draw(points) for symbol in "TRPS"})
    if kind == "bimatrix":
        rows, columns = draw(st.integers(1, 3)), draw(st.integers(2, 4))
        table = st.lists(st.lists(points, min_size=columns, max_size=columns), min_size=rows, max_size=rows)
        return BimatrixGame("bimatrix_game", draw(table), draw(table))
    if kind == "many":
        return stage_game("n_person_stag_hunt", n_players=draw(st.sampled_from([3, 5, 12])))
    n = draw(st.integers(2, 4))
    endowment = draw(st.just(20.0) | st.tuples(*[st.sampled_from([5.0, 7.5, 20.0])] * n))
    levels = draw(st.integers(2, 4)) if kind == "levels" else None
    return PublicGoods(
        n_players=n, endowment=endowment, multiplier=1.7, levels=levels, threshold=draw(st.just(0) | st.just(9))
    )


@composite
def populations(draw: DrawFn, rounds: Any) -> Repeated:
    """Rules of a population in pairs: on a lattice, a star or a small world, or with random partners."""
    star = [(0, leaf) for leaf in range(1, 6)]
    size, edges = build_network(draw(st.sampled_from(["lattice", "random", "small_world", star])))
    stage = stage_game("rock_paper_scissors")
    if draw(st.booleans()):
        stage = MatrixGame("matrix_game", **{symbol: draw(points) for symbol in "TRPS"})
    drawn = {
        "continuation": draw(st.sampled_from([1.0, 0.7])),
        "noise": draw(chances),
        "memory": draw(st.integers(0, 3)),
    }
    people = Population(size, edges, draw(st.sampled_from(["mean", "sum"])))
    return Repeated(stage, rounds, clock=isinstance(rounds, int), population=people, **drawn)


@composite
def rules(draw: DrawFn) -> Repeated:
    """Rules of any kind, with matches short enough to end within a test."""
    rounds = draw(st.none() | st.integers(1, 6) | st.just((2, 5)))
    if draw(st.integers(0, 4)) == 0:
        return draw(populations(rounds))
    stage = draw(games())
    sanction = st.none() | st.builds(Sanction, st.just(1.5), st.sampled_from([0.0, 3.0]), st.integers(1, 2))
    spoken = bool(stage.n_actions) and stage.n_players < 6
    return Repeated(
        stage,
        rounds,
        continuation=draw(st.sampled_from([1.0, 0.7, 0.0])),
        noise=draw(chances),
        misperception=draw(chances),
        memory=draw(st.integers(0, 3)),
        clock=isinstance(rounds, int) and draw(st.booleans()),
        talk=draw(st.none() | st.builds(Talk, st.integers(1, 2), st.integers(2, 5), st.booleans())) if spoken else None,
        punishment=draw(sanction) if spoken else None,
        reward=draw(sanction) if spoken else None,
    )


def any_actions(played: Repeated, count: int, rng: np.random.Generator) -> Any:
    """Random actions of all players in all matches, of any phase."""
    if played.stage.endowments:
        return rng.random((count, played.n_players)) * played.stage.endowments
    return rng.integers(0, played.spaces, (count, played.n_players))


class Single:
    """One match after the other in the environment, as a row of a batch."""

    def __init__(self, played: Repeated, max_rounds: int | None) -> None:
        cycles = None if max_rounds is None else max_rounds * len(played.phases)
        self.env = SocialDilemma(played, "single", max_cycles=cycles, views=True)

    def reset(self, seed: int | None = None) -> Any:
        observations, infos = self.env.reset(seed=seed)
        self.view = infos["player_0"]["view"]
        return np.stack(list(observations.values()))

    def step(self, joint: Any) -> tuple[Any, ...]:
        agents = self.env.possible_agents
        observations, rewards, terminations, truncations, infos = self.env.step(
            dict(zip(agents, joint.tolist(), strict=True))
        )
        self.view = infos["player_0"]["view"]
        ends = terminations["player_0"], truncations["player_0"]
        seen = np.stack(list(observations.values()))
        return (self.reset() if any(ends) else seen), list(rewards.values()), *ends, seen


def check_row(step: VectorStep, row: int, single: tuple[Any, ...]) -> None:
    """What a batch says of a match, against what the environment says."""
    seen, payoffs, terminated, truncated, last = single
    assert (step.observations[row] == seen).all()
    assert step.payoffs[row].tolist() == payoffs
    assert (bool(step.terminated[row]), bool(step.truncated[row])) == (terminated, truncated)
    if terminated or truncated:
        ended = np.flatnonzero(step.terminated | step.truncated)
        assert (step.final[ended.tolist().index(row)] == last).all()


@settings(deadline=None, max_examples=150)
@given(rules(), st.none() | st.integers(1, 4), st.integers(0, 2**32), st.booleans())
def test_a_batch_of_one_is_the_environment(played: Repeated, clock: int | None, seed: int, copies: bool) -> None:
    batch, single = VectorMatches(played, 1, max_rounds=clock, copy=copies), Single(played, clock)
    rng = np.random.default_rng(seed)
    for start in (seed, None):
        assert (batch.reset(start)[0] == single.reset(start)).all()
        for _ in range(12):
            assert batch.phase.name == single.view.phase
            actions = any_actions(played, 1, rng)
            check_row(batch.step(actions), 0, single.step(actions[0]))


@settings(deadline=None, max_examples=60)
@given(rules(), st.none() | st.integers(1, 4), st.lists(st.integers(0, 9), min_size=2, max_size=5))
def test_matches_with_seeds_of_their_own_do_not_depend_on_the_others(
    played: Repeated, clock: int | None, seeds: list[int]
) -> None:
    batch = VectorMatches(played, len(seeds), max_rounds=clock)
    singles = [Single(played, clock) for _ in seeds]
    rng = np.random.default_rng(0)
    first = batch.reset(seeds)
    assert (first == np.stack([single.reset(seed) for single, seed in zip(singles, seeds, strict=True)])).all()
    for _ in range(8):
        actions = any_actions(played, len(seeds), rng)
        step = batch.step(actions)
        for row, single in enumerate(singles):
            check_row(step, row, single.step(actions[row]))


def test_tables_and_formulas_say_the_same() -> None:
    """Small games are looked up, large ones worked out; both are tried above, here on one game."""
    played = Repeated(stage_game("public_goods", n_players=4, levels=3))
    joints = np.random.default_rng(0).integers(0, 3, (50, 4))
    known, worked_out = LookupEvaluator(played.stage, 3), DirectEvaluator(played.stage, 3)
    assert (known.payoffs(known.encode(joints, []), None) == worked_out.payoffs(joints, None)).all()
    for seen in (joints, np.stack([joints, joints[::-1], joints, joints], axis=1)):
        looks = np.zeros((2, 50, 4, 4, 3), dtype=np.float32)
        known.write_observations(known.encode(seen, []), looks[0])
        worked_out.write_observations(seen, looks[1])
        assert (looks[0] == looks[1]).all()
        assert looks[0].sum() == 50 * 4 * 4
    assert isinstance(evaluator_for(played), LookupEvaluator)
    assert isinstance(evaluator_for(Repeated(stage_game("n_person_stag_hunt", n_players=12))), DirectEvaluator)


def test_the_expected_match() -> None:
    """C is 0, D is 1; one-hot (C, D), own action first. The third round belongs to a new match."""
    matches = VectorMatches(Repeated(stage_game("prisoners_dilemma"), rounds=2), 2)
    assert matches.reset(seed=0).tolist() == [[[0, 0, 0, 0]] * 2] * 2
    step = matches.step([[0, 1], [1, 1]])
    assert step.observations.tolist() == [[[1, 0, 0, 1], [0, 1, 1, 0]], [[0, 1, 0, 1], [0, 1, 0, 1]]]
    assert step.payoffs.tolist() == [[0, 5], [1, 1]]
    assert not step.terminated.any()
    assert len(step.final) == 0
    step = matches.step([[0, 0], [1, 0]])
    assert step.observations.tolist() == [[[0, 0, 0, 0]] * 2] * 2
    assert step.final.tolist() == [[[1, 0, 1, 0], [1, 0, 1, 0]], [[0, 1, 1, 0], [1, 0, 0, 1]]]
    assert step.terminated.tolist() == [True, True]
    assert not step.truncated.any()


def test_chance_is_as_often_as_announced() -> None:
    """Ends, trembles and errors of perception over 20,000 matches, within four standard errors."""
    stage = stage_game("public_goods", n_players=2, levels=3)
    count = 20_000
    matches = VectorMatches(Repeated(stage, None, continuation=0.9, noise=0.25, misperception=0.1), count)
    matches.reset(seed=3)
    step = matches.step(np.zeros((count, 2), dtype=int))
    assert step.terminated.mean() == pytest.approx(0.1, abs=4 * (0.09 / count) ** 0.5)
    going_on = step.observations[~step.terminated].reshape(-1, 2, 2, 3)  # (matches, viewer, seat, level)
    own, other = going_on[:, :, 0].mean(axis=(0, 1)), going_on[:, :, 1].mean(axis=(0, 1))
    trembled = np.array([0.75, 0.125, 0.125])
    seen = trembled * 0.9 + (1 - trembled) / 2 * 0.1
    assert own == pytest.approx(trembled, abs=4 * (0.19 / count) ** 0.5)
    assert other == pytest.approx(seen, abs=4 * (0.21 / count) ** 0.5)


def test_masks_follow_the_phases() -> None:
    played = Repeated(stage_game("prisoners_dilemma"), 2, talk=Talk(1, 3), punishment=Sanction(points=3))
    matches = VectorMatches(played, 5)
    matches.reset(seed=0)
    found = []
    for _ in range(4):
        found.append((matches.phase.name, matches.masks.tolist()))
        matches.step(np.zeros((5, 2), dtype=np.int8))
    masks = {"talk": [1, 1, 1, 0], "act": [1, 1, 0, 0], "punish": [1, 1, 1, 1]}
    assert found == [(name, [masks[name]] * 2) for name in ("talk", "act", "punish", "talk")]


@pytest.mark.parametrize(
    ("value", "message"),
    [(2, "action 2 of player_1 in match 3"), (-1, "action -1 of player_1 in match 3"), (2**40, f"action {2**40}")],
)
def test_illegal_actions_are_refused_and_change_nothing(value: int, message: str) -> None:
    played = Repeated(stage_game("harmony"), noise=0.5, rounds=3)
    matches, twin = VectorMatches(played, 4), VectorMatches(played, 4)
    matches.reset(seed=1)
    twin.reset(seed=1)
    actions = np.zeros((4, 2), dtype=int)
    wrong = actions.copy()
    wrong[3, 1] = value
    with pytest.raises(GameError, match=message) as error:
        matches.step(wrong)
    assert "0..1 of harmony" in str(error.value)
    assert (matches.step(actions).payoffs == twin.step(actions).payoffs).all()


def test_each_player_has_its_own_actions() -> None:
    matches = VectorMatches(Repeated(BimatrixGame("bimatrix_game", [[1, 2, 3]], [[4, 5, 6]]), 9), 2)
    matches.reset(seed=0)
    assert matches.step([[0, 2], [0, 1]]).payoffs.tolist() == [[3, 6], [2, 5]]
    with pytest.raises(GameError, match=r"action 1 of player_0 in match 1 is outside 0\.\.0"):
        matches.step([[0, 2], [1, 1]])


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([[0, 1]], r"shape \(1, 2\); needs shape \(2, 2\)"),
        ([[0, 1, 0]] * 2, r"shape \(2, 3\)"),
        ([[0.0, 1.0]] * 2, "float64; needs integers"),
        ([[True, False]] * 2, "bool; needs integers"),
        ([[0, "C"]] * 2, "needs integers"),
    ],
)
def test_arrays_of_another_shape_or_type_are_refused(actions: Any, message: str) -> None:
    matches = VectorMatches(Repeated(stage_game("harmony")), 2)
    with pytest.raises(GameError, match="reset"):
        matches.step([[0, 0]] * 2)
    matches.reset(seed=0)
    with pytest.raises(GameError, match=message):
        matches.step(actions)


@pytest.mark.parametrize("amount", [-0.5, 20.5, float("nan"), float("inf")])
def test_amounts_lie_within_the_endowment(amount: float) -> None:
    matches = VectorMatches(Repeated(stage_game("public_goods", levels=None), 3), 2)
    matches.reset(seed=0)
    assert matches.step([[20, 20, 20, 20], [0, 0, 0, 0]]).payoffs.tolist() == [[32] * 4, [20] * 4]
    with pytest.raises(GameError, match=r"player_2 in match 1 is outside 0\.\.20 of public_goods"):
        matches.step([[20, 20, 20, 20], [0, 0, amount, 0]])


def test_the_end_of_a_space_of_32_bits_is_the_endowment() -> None:
    played = Repeated(PublicGoods(n_players=2, endowment=0.1, levels=None), 3)
    matches, single = VectorMatches(played, 1), Single(played, None)
    matches.reset(seed=0)
    single.reset(seed=0)
    high = np.stack([single.env.action_space(agent).high for agent in single.env.agents], axis=1)
    assert float(high[0, 0]) > 0.1
    step = matches.step(high)
    check_row(step, 0, single.step(high[0]))
    assert step.payoffs.tolist() == matches.step([[0.1, 0.1]]).payoffs.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count = 0"),
        ({"count": 2.5}, "2.5"),
        ({"count": None}, "count = None"),
        ({"count": True}, "count = True"),
        ({"count": 1, "max_rounds": 0}, "max_r"),
    ],
)
def test_unsupported_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(GameError, match=message):
        VectorMatches(Repeated(stage_game("harmony")), **options)


def test_one_seed_for_all_or_one_for_each() -> None:
    matches = VectorMatches(Repeated(stage_game("harmony")), 3)
    with pytest.raises(GameError, match="2 seeds for 3 matches"):
        matches.reset(seed=[1, 2])
    first = matches.reset(seed=np.array([1, 2, 3]))
    assert (first == matches.reset(seed=(1, 2, 3))).all()
    for seed, message in ((-1, "seed = -1"), (1.5, "seed = 1.5"), ([1, 2, -3], "seed = -3"), ("abc", "seed = 'a'")):
        with pytest.raises(GameError, match=f"matches: {message}; needs a whole number of at least 0"):
            matches.reset(seed=seed)


def test_nothing_is_shared() -> None:
    """What a step gives is the caller's own, unless the caller wants the same arrays every time."""
    actions = np.zeros((3, 2), dtype=int)
    matches = VectorMatches(Repeated(stage_game("prisoners_dilemma"), 5, memory=2), 3)
    given = [matches.reset(seed=0), *matches.step(actions), *matches.step(actions)]
    assert not any(np.shares_memory(one, other) for i, one in enumerate(given) for other in given[:i])
    twin = copy.deepcopy(matches)
    for array in given:
        array[...] = 1
    for one, other in zip(matches.step(actions), twin.step(actions), strict=True):
        assert (one == other).all()
    again = VectorMatches(Repeated(stage_game("prisoners_dilemma"), 5), 3, copy=False)
    first = again.reset(seed=0)
    one, other = again.step(actions), again.step(actions)
    assert first is one.observations is other.observations
    assert one.payoffs is other.payoffs


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda matches: pickle.loads(pickle.dumps(matches))])
def test_copies_go_on_from_where_they_are(clone: Any) -> None:
    played = Repeated(
        stage_game("snowdrift"), (2, 6), 0.9, 0.2, 0.2, 3, talk=Talk(), punishment=Sanction(), reward=Sanction()
    )
    matches = VectorMatches(played, 20)
    matches.reset(seed=4)
    rng = np.random.default_rng(0)
    for _ in range(6):
        matches.step(any_actions(played, 20, rng))
    twin = clone(matches)
    for _ in range(20):
        actions = any_actions(played, 20, rng)
        for one, other in zip(matches.step(actions), twin.step(actions), strict=True):
            assert (one == other).all()
