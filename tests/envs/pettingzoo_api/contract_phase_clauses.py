"""Clauses of the contract for talk, sanctions, misperception, random lengths and the clock."""

import random
from itertools import product
from typing import Any

import numpy as np
import pytest
from contract_cases import Case, Make, act, last_joint, own_first, played, seen_views


def actions_of_another_phase_become_the_default(case: Case, make: Make) -> None:
    """As silence, as the last action, as no points; and masks say what belongs to the phase that comes."""
    n, signals, sanctions = case.n_players, case.n_actions + 2, 2 ** (case.n_players - 1)
    env = make(talk=1, signals=signals, punishment=(1, 3), rounds=3)
    space = max(signals, sanctions)
    assert all(env.action_space(agent).n == space for agent in env.possible_agents)

    def belong(infos: Any, options: int) -> None:
        for info in infos.values():
            assert info["action_mask"].tolist() == [1] * options + [0] * (space - options)

    _, infos = env.reset(seed=0)
    for joint in case.joints(3):
        belong(infos, signals)
        talked = act(env, (space - 1 if space > signals else 0, *[1] * (n - 1)))
        assert talked.infos["player_0"]["view"].said == ((0, *[1] * (n - 1)),)
        belong(talked.infos, case.n_actions)
        acted = act(env, (case.n_actions, *joint[1:]))
        happened = (case.n_actions - 1, *joint[1:])
        assert list(acted.rewards.values()) == pytest.approx(case.payoffs(happened))
        assert [view.acted for view in seen_views(acted.infos)] == [own_first(happened, i) for i in range(n)]
        belong(acted.infos, sanctions)
        punished = act(env, (space - 1 if space > sanctions else 0, *[0] * (n - 1)))
        assert set(punished.rewards.values()) == {0}
        infos = punished.infos


def talk_is_free_and_not_binding(case: Case, make: Make) -> None:
    """What is said is heard by all in the round, own signal first, and the payoffs are those of what is done."""
    env, rng = make(talk=2, rounds=6), random.Random(1)
    env.reset(seed=0)
    for joint in case.joints(6):
        heard: list[tuple[int, ...]] = []
        for _ in range(2):
            heard.append(tuple(rng.randrange(3) for _ in range(case.n_players)))
            talked = act(env, heard[-1])
            assert set(talked.rewards.values()) == {0}
            for player, view in enumerate(seen_views(talked.infos)):
                assert view.said == tuple(own_first(said, player) for said in heard)
        acted = act(env, joint)
        assert list(acted.rewards.values()) == pytest.approx(case.payoffs(joint))
        for player, view in enumerate(seen_views(acted.infos)):
            assert (view.said, view.history) == ((), (own_first(joint, player),))


def noise_only_changes_acts(case: Case, make: Make) -> None:
    """With noise 1 every action becomes another one, while signals and sanctions are as they were chosen."""
    n = case.n_players
    env = make(talk=1, punishment=(1, 3), noise=1.0, rounds=5)
    env.reset(seed=0)
    for joint in case.joints(5):
        said = tuple(action % 3 for action in joint)
        assert seen_views(act(env, said).infos)[0].said == (said,)
        happened = seen_views(act(env, joint).infos)[0].acted
        assert all(done != chosen for done, chosen in zip(happened, joint, strict=True))
        punished = act(env, (1, *[0] * (n - 1)))
        assert list(punished.rewards.values()) == [-1, -3, *[0] * (n - 2)]


def the_round_is_observed_in_numbers(case: Case, make: Make) -> None:
    """Behind the last round the step, signals, this round's actions, and sanctions (0.5 is none), own ones first."""
    n, options = case.n_players, case.n_actions
    env = make(talk=1, punishment=(1, 3), rounds=4)
    nothing, nobody = (-1,) * n, (0.0,) * n

    def check(observations: Any, past: Any, step: int, said: Any, acted: Any, sanctioned: Any) -> None:
        for player, vector in enumerate(observations.values()):
            parts = [(past, options), (said, 3), (acted, options)]
            seen = [[float(a == o) for a in own_first(part, player) for o in range(size)] for part, size in parts]
            points = [0.5 + 0.5 * taken / (3 * (n - 1)) for taken in own_first(sanctioned, player)]
            expected = [*seen[0], *np.eye(3)[step], *seen[1], *seen[2], *points]
            assert vector.tolist() == pytest.approx(expected)

    observations, _ = env.reset(seed=0)
    check(observations, nothing, 0, nothing, nothing, nobody)
    past, sanctioned = nothing, nobody
    for joint in case.joints(4):
        said = tuple(action % 3 for action in joint)
        check(act(env, said).observations, past, 1, said, nothing, sanctioned)
        check(act(env, joint).observations, joint, 2, said, joint, nobody)
        past, sanctioned = joint, (0.0, -3.0, *[0.0] * (n - 2))  # the first player punishes the second
        check(act(env, (1, *[0] * (n - 1))).observations, past, 0, nothing, nothing, sanctioned)


def sanctions_cost_the_giver_and_move_the_receiver(case: Case, make: Make) -> None:
    """A point of punishment costs 1 and takes 3, one of reward costs 0.5 and gives 2; other players are not
    affected."""
    n, most = case.n_players, 2 if case.n_players < 10 else 1
    env = make(punishment=(1, 3), reward=(0.5, 2), points=most, max_cycles=10**6)
    env.reset(seed=0)
    for giver, taker in product(range(n), repeat=2):
        if giver == taker:
            continue
        act(env, (0,) * n)
        place = taker - (taker > giver)
        joint = [0] * n
        joint[giver] = most * (most + 1) ** place
        for cost, effect, moved in ((1, -3, -3), (0.5, 2, -1)):
            result = act(env, tuple(joint))
            expected, total = [0.0] * n, [0.0] * n
            expected[giver], expected[taker], total[taker] = -cost * most, effect * most, moved * most
            assert list(result.rewards.values()) == expected
            for player, view in enumerate(seen_views(result.infos)):
                assert view.sanctioned == own_first(tuple(total), player)


def perception_errors_are_independent_and_about_others(case: Case, make: Make) -> None:
    """Errors have the given rate, never concern the own action, are independent and permanent; payoffs and state
    have none."""
    env = make(misperception=0.2, memory=2, max_cycles=10**6)
    env.reset(seed=4)
    n, rounds = case.n_players, 1200
    wrong = np.zeros((rounds, n, n), dtype=bool)
    known: list[tuple[Any, ...]] = [()] * n
    for i, joint in enumerate(case.joints(rounds)):
        result = act(env, joint)
        assert list(result.rewards.values()) == pytest.approx(case.payoffs(joint))
        assert last_joint(case, env.state()) == joint
        for player, view in enumerate(seen_views(result.infos)):
            assert view.history[:-1] == known[player]
            known[player] = view.history[-1:]
            perceived = np.array(view.history[-1])
            order = list(own_first(tuple(range(n)), player))
            wrong[i, player, order] = perceived != np.array(joint)[order]
    assert not wrong[:, range(n), range(n)].any()
    others = wrong[:, ~np.eye(n, dtype=bool)]
    assert others.mean() == pytest.approx(0.2, abs=4 * (0.16 / others.size) ** 0.5)
    both = (wrong[:, 0, 1] & wrong[:, 1, 0]).mean()
    assert both == pytest.approx(0.04, abs=4 * (0.04 / rounds) ** 0.5)


def a_random_length_is_not_observed(case: Case, make: Make) -> None:
    """Every length between occurs, and until the end all matches look alike."""
    env = make(rounds=(2, 5))
    env.reset(seed=1)
    lengths, looks = set(), set()
    for _ in range(60):
        observations, infos = env.reset()
        looks.add((0, str(observations), str(infos)))
        results = list(played(env, [(0,) * case.n_players] * 9))
        looks |= {(i, str(r.observations), str(r.infos)) for i, r in enumerate(results, start=1)}
        lengths.add(len(results))
    assert lengths == {2, 3, 4, 5}
    assert len(looks) == 6


def a_clock_shows_the_share_left(case: Case, make: Make) -> None:
    """The last number is the share of the rounds that is left."""
    env = make(rounds=4, clock=True)
    seen = [env.reset(seed=0)[0], *(result.observations for result in played(env, case.joints(4)))]
    assert [{float(vector[-1]) for vector in given.values()} for given in seen] == [{1}, {0.75}, {0.5}, {0.25}, {0}]


PHASE_CLAUSES = (
    actions_of_another_phase_become_the_default,
    talk_is_free_and_not_binding,
    noise_only_changes_acts,
    the_round_is_observed_in_numbers,
    sanctions_cost_the_giver_and_move_the_receiver,
    perception_errors_are_independent_and_about_others,
    a_random_length_is_not_observed,
    a_clock_shows_the_share_left,
)
"""The clauses of this module, in order."""
