"""Matches of a language model side by side have the distribution of its policy table."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import chisquare

pytest.importorskip("torch")

from dilemmas.agents.matches.match import finished, run_matches
from dilemmas.agents.models.open_model import open_local
from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.tables.compilation import compile_agent
from dilemmas.envs.games.catalogue import stage_game
from dilemmas.envs.pettingzoo_api.parallel_env import parallel
from dilemmas.experiments.benchmarks.model_matches import CONTEXT, GAME, OPPONENT, player

MATCHES, ROUNDS = 1000, 10


@pytest.mark.slow
def test_joint_actions_have_the_distribution_of_the_policy_table() -> None:
    model = open_local("miniature-student", device="cpu").loaded()
    table = compile_agent(player(model), stage_game(GAME), memory=1, context=CONTEXT)
    expected = np.outer(table.rows[0], (0.5, 0.5)).ravel()  # of the joint actions CC, CD, DC, DD in the first round
    after = np.array([np.outer(row, (0.5, 0.5)).ravel() for row in table.rows[1:]])
    played = finished(
        run_matches(partial(parallel, GAME, rounds=ROUNDS), [player(model), strategy(OPPONENT)], MATCHES, seed=0)
    )
    counts = np.zeros((ROUNDS, 4))
    for record in played:
        for number, moves in enumerate(record.steps):
            mine, other = (move.decision.action for move in moves)
            counts[number, 2 * mine + other] += 1
    for number in range(ROUNDS):  # matches are independent of each other, rounds of a match are not
        assert chisquare(counts[number], MATCHES * expected).pvalue > 1e-4
        expected = expected @ after
