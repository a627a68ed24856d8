"""Incentives: who learns from the payoffs alone finds the best reply. A test of the environments, not of learning."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.vector.vector_matches import VectorMatches

C, D = 0, 1


def situations(observations: NDArray[np.float32]) -> NDArray[np.int64]:
    """What was seen as a number: the last joint action, own digit first, or 4 before the first round."""
    mine, theirs = observations[..., 1] > 0, observations[..., 3] > 0
    return np.where(observations.any(axis=-1), 2 * mine + theirs, 4).astype(np.int64)


def learned(game: str, against: float, seed: int) -> NDArray[np.float64]:
    """Values of both actions in all five situations, shape (5, 2), after tabular Q-learning in many parallel matches.

    `against`: probability with which the other player cooperates, whatever has happened.
    """
    rng, count = np.random.default_rng(seed), 400
    matches = VectorMatches(rules_of(game, rounds=10), count)
    values, rate, discount = np.zeros((5, 2)), 0.05, 0.8
    seen = situations(matches.reset(seed=seed)[:, 0])
    for _ in range(400):
        greedy = values[seen].argmax(axis=1)
        actions = np.where(rng.random(count) < 0.3, rng.integers(0, 2, count), greedy)
        step = matches.step(np.stack([actions, rng.random(count) >= against], axis=1).astype(np.int64))
        after = situations(step.observations[:, 0])
        later = np.where(step.terminated, 0.0, discount * values[after].max(axis=1))
        targets = step.payoffs[:, 0] + later
        for situation, action in np.ndindex(values.shape):
            met = (seen == situation) & (actions == action)
            if met.any():
                values[situation, action] += rate * (targets[met].mean() - values[situation, action])
        seen = after
    return values


@pytest.mark.parametrize(
    ("game", "against", "best"),
    [
        ("prisoners_dilemma", 0.5, D),
        ("prisoners_dilemma", 0.95, D),
        ("harmony", 0.5, C),
        ("harmony", 0.05, C),
        ("snowdrift", 0.5, C),  # (R + S) / 2 = 2.5 and (T + P) / 2 = 2
        ("snowdrift", 0.9, D),  # 2.9 and 3.6
        ("stag_hunt", 0.5, D),  # 2 and 3
        ("stag_hunt", 0.95, C),  # 3.8 and 3
    ],
)
def test_a_learner_finds_the_best_reply(game: str, against: float, best: int) -> None:
    assert learned(game, against, seed=1).argmax(axis=1).tolist() == [best] * 5


def climbed(game: str, graph: str) -> float:
    """Share of cooperation that a population of policy-gradient learners (REINFORCE) comes to, each for itself."""
    env, rng = parallel("population", game=game, graph=graph, n_players=16), np.random.default_rng(3)
    weights, usual = np.zeros(16), np.zeros(16)
    for _ in range(4):
        env.reset(seed=3)
        while env.agents:
            defect = 1 / (1 + np.exp(weights))  # weight of cooperation against 0
            actions = (rng.random(16) < defect).astype(int)
            _, rewards, *_ = env.step(dict(zip(env.agents, actions.tolist(), strict=True)))
            gain = np.array(list(rewards.values())) - usual
            weights += 0.3 * gain * ((actions == C) - (1 - defect))
            usual += 0.1 * gain
    return float((1 - 1 / (1 + np.exp(weights))).mean())


@pytest.mark.parametrize("graph", ["lattice", "random"])
def test_a_population_learns_the_better_action(graph: str) -> None:
    assert climbed("prisoners_dilemma", graph) < 0.1
    assert climbed("harmony", graph) > 0.9
