"""With the autoreset mode "NextStep", wrappers of Gymnasium that change observations work, and matches are the same."""

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector

from dilemmas.envs.checks import GameError
from dilemmas.envs.errors import InputError
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.envs.rules.stages import Talk
from dilemmas.envs.vector.gymnasium_vector import VectorPlayers
from dilemmas.envs.vector.vector_matches import VectorMatches

GAME = stage_game("prisoners_dilemma")
LENGTHS = Repeated(GAME, (1, 4))


def players(rules: Repeated = LENGTHS, count: int = 4, mode: AutoresetMode | str = "NextStep") -> VectorPlayers:
    return VectorPlayers(VectorMatches(rules, count), autoreset_mode=mode)


def test_the_step_after_the_end_resets_a_match_and_the_others_play_on() -> None:
    env = players()
    env.action_space.seed(0)
    first, _ = env.reset(seed=3)
    start, own, over = first[0], [[] for _ in range(8)], np.zeros(8, dtype=bool)
    resets = 0
    for _ in range(40):
        actions = env.action_space.sample()
        seen, rewards, terminated, truncated, infos = env.step(actions)
        assert "final_obs" not in infos
        assert not (terminated | truncated)[over].any()
        assert (rewards[over] == 0).all()
        assert (seen[over] == start).all()
        resets += int(over.sum())
        for row in range(8):
            own[row] = [] if over[row] else [*own[row], (actions[row], actions[row ^ 1])]
        playing = np.flatnonzero(~over)
        for row in playing:
            assert rewards[row] == GAME.payoffs(own[row][-1])[0]
            assert (seen[row] != start).any(), "the last observation of a match is shown, not the first of the next"
            assert 1 <= len(own[row]) <= 4
        over = terminated
    assert 0 < resets < 8 * 20


def test_a_match_that_is_over_keeps_to_itself() -> None:
    """All matches end in the same round, so that the two modes differ by one step in four."""
    fixed = Repeated(GAME, 3)
    late, soon = players(fixed), players(fixed, mode=AutoresetMode.SAME_STEP)
    late.reset(seed=1)
    soon.reset(seed=1)
    for step in range(20):
        actions = np.random.default_rng(step).integers(0, 2, 8)
        seen, rewards, terminated, _, _ = late.step(actions)
        if step % 4 == 3:
            assert not rewards.any()
            continue
        other, expected, ended, _, infos = soon.step(actions)
        assert (rewards == expected).all()
        assert (terminated == ended).all()
        assert (seen == (np.stack(infos["final_obs"]) if ended.all() else other)).all()


def test_a_reset_starts_matches_that_were_over() -> None:
    env = players(Repeated(GAME, 1))
    env.reset(seed=0)
    assert env.step(np.zeros(8, dtype=int))[2].all()
    mask = np.repeat([True, False, False, True], 2)
    env.reset(options={"reset_mask": mask})
    assert (env.step(np.zeros(8, dtype=int))[2] == mask).all()


WRAPPERS = {
    "normalize": vector.NormalizeObservation,
    "flatten": vector.FlattenObservation,
    "statistics": vector.RecordEpisodeStatistics,
    "type": lambda env: vector.DtypeObservation(env, np.float64),
    "transform": lambda env: vector.TransformObservation(env, lambda seen: 2 * seen),
    "filter": lambda env: vector.FilterObservation(env, ["observation"]),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_of_gymnasium(name: str) -> None:
    matches = VectorMatches(LENGTHS, 3)
    env = WRAPPERS[name](VectorPlayers(matches, observe_masks=name == "filter", autoreset_mode="NextStep"))
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(12):
        seen, *_ = env.step(env.action_space.sample())
    assert seen["observation"].shape == (6, 4) if name == "filter" else seen.shape == (6, 4)


@pytest.mark.parametrize("mode", ["Disabled", AutoresetMode.DISABLED, "next", None, 3])
def test_other_modes_are_refused(mode: AutoresetMode | str) -> None:
    with pytest.raises(GameError, match="needs 'SameStep' or 'NextStep': matches are reset when they end"):
        players(mode=mode)


def test_rounds_of_several_phases_and_other_libraries_need_a_reset_in_the_same_step() -> None:
    with pytest.raises(GameError, match=r"a round has 2 phases, .* use 'SameStep'"):
        players(Repeated(GAME, 3, talk=Talk(1, 2)))
    pytest.importorskip("stable_baselines3")
    from dilemmas.envs.vector.stable_baselines import StableBaselinesPlayers

    with pytest.raises(InputError, match="needs VectorPlayers with autoreset_mode='SameStep'"):
        StableBaselinesPlayers(players())
