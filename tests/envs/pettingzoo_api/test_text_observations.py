"""Observations in words lie in their space and agree with the views."""

from typing import Any

import numpy as np
import pytest
from pettingzoo.test import parallel_api_test

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.matrix_games import DEFAULTS
from dilemmas.envs.pettingzoo_api.parallel_env import SocialDilemma, aec, parallel
from dilemmas.envs.pettingzoo_api.text_observations import InWords
from dilemmas.envs.prompts.contexts import context
from dilemmas.envs.prompts.prompts import match_prompt
from dilemmas.envs.prompts.templates import load_template
from dilemmas.envs.rules.networks import ring
from dilemmas.envs.rules.population import Population
from dilemmas.envs.rules.repeated import Repeated

FRIENDS, STUDY = context("friends"), load_template("study")


def ring_of(size: int) -> SocialDilemma:
    rules = Repeated(DEFAULTS["snowdrift"], rounds=8, memory=3, population=Population(size, ring(size, 4)))
    return SocialDilemma(rules, "ring")


MATCHES: list[Any] = [
    lambda: parallel("prisoners_dilemma", rounds=12, memory=None, clock=True),
    lambda: parallel("prisoners_dilemma", rounds=5, memory=0, talk=3, punishment=(1, 3), reward=(2.5, 4), points=3),
    lambda: parallel("public_goods", n_players=4, rounds=5, memory=2, punishment=(1, 3), points=2),
    lambda: parallel("public_goods", n_players=3, endowment=(10, 20, 30), levels=3, rounds=9, memory=9),
    lambda: parallel("public_goods", n_players=3, endowment=1e6 / 3, levels=None, rounds=9, memory=9, noise=0.5),
    lambda: parallel("travelers_dilemma", low=2, high=9, max_cycles=20, memory=4),
    lambda: parallel("inspection_game", rounds=6, misperception=0.5),
    lambda: ring_of(7),
]


@pytest.mark.parametrize("make", MATCHES)
@pytest.mark.parametrize("seed", range(3))
def test_every_text_is_in_its_space_and_matches_the_view(make: Any, seed: int) -> None:
    env = InWords(make(), FRIENDS)
    observations, infos = env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    while True:
        for agent, text in observations.items():
            assert env.observation_space(agent).contains(text)
            assert text == infos[agent]["text"] == match_prompt(STUDY, infos[agent]["view"], FRIENDS)
        if not env.agents:
            break
        for agent in env.agents:
            env.action_space(agent).seed(int(rng.integers(2**31)))
        actions = {agent: env.action_space(agent).sample() for agent in env.agents}
        observations, _, _, _, infos = env.step(actions)


@pytest.mark.parametrize("make", MATCHES)
def test_pettingzoo_takes_it(make: Any) -> None:
    parallel_api_test(InWords(make(), FRIENDS), num_cycles=30)


def test_texts_in_infos_alone_leave_the_spaces_plain() -> None:
    plain = parallel("stag_hunt", talk=1, words=True)
    env = InWords(parallel("stag_hunt", talk=1, words=True), FRIENDS, observe=False)
    observations, infos = env.reset(seed=0)
    assert env.observation_space("player_0") == plain.observation_space("player_0")
    assert env.observation_space("player_0").contains(observations["player_0"])
    assert infos["player_0"]["text"].endswith("Reply with your message alone.")
    infos = env.step({"player_0": "stag \N{DEER}?", "player_1": 0})[-1]
    assert 'they said "stag \N{DEER}?".' in infos["player_1"]["text"]


def test_unsupported_text_observations_are_refused() -> None:
    with pytest.raises(InputError, match="observe=False"):
        InWords(parallel("stag_hunt", talk=1, words=True), FRIENDS)
    with pytest.raises(InputError, match="needs a parallel environment of dilemmas"):
        InWords(aec("stag_hunt"), FRIENDS)
    for given in (("friends",), (FRIENDS, "study")):
        with pytest.raises(InputError, match=f"'{given[-1]}'; needs a "):
            InWords(parallel("stag_hunt"), *given)
    with pytest.raises(InputError, match=r"'travelers_dilemma': 99 actions.*a game with fewer actions"):
        InWords(parallel("travelers_dilemma"), FRIENDS)
