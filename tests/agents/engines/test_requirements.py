"""What each engine refuses, with the reason and the engines that can play."""

from collections.abc import Sequence
from typing import Any

import pytest
from strategies_for_engines import ALLD, FICKLE, LARGE, MIRROR, PD, TFT, THREE, seeds

from dilemmas.agents.agent import Agent
from dilemmas.agents.engines.dispatch import choose_engine, play_groups
from dilemmas.agents.engines.requirements import ENGINES, EngineError
from dilemmas.agents.strategies.catalogue import Uniform, strategy
from dilemmas.agents.strategies.finite_state import StrategyError, memory_one
from dilemmas.envs.names import UnknownNameError
from dilemmas.envs.rules.factory import rules_of


@pytest.mark.parametrize(
    ("group", "options", "engine", "message"),
    [
        (
            (TFT, FICKLE),
            {},
            "cycle",
            r"'cycle' cannot play tit_for_tat, fickle: 'fickle' is not det",
        ),
        ((TFT, ALLD), {"noise": 0.1}, "cycle", r"noise = 0.1; use chain or compiled or vectorised or environment"),
        (
            (TFT, MIRROR),
            {},
            "chain",
            r"'mirror' is a counting strategy, not an automaton; use vectorised or environment",
        ),
        (
            (LARGE, LARGE),
            {},
            "chain",
            r"36,000,000 pairs of a joint state .* use compiled or vectorised",
        ),
        (
            (TFT, ALLD),
            {"rounds": 10**18, "noise": 0.1},
            "compiled",
            r"1e\+18 rounds .*at most 10,000,000,000",
        ),
        ((TFT, ALLD), {"rounds": 10**18, "noise": 0.1}, "chain", r"it goes through all of them; at most 10,000,000"),
        (
            (TFT, ALLD),
            {"rounds": 10**6},
            "environment",
            r"of about 1,000,000 rounds is recorded whole, in about 2.*GB .*take at most 2..,... rounds; use cycle",
        ),
        ((TFT, ALLD), {"rounds": 10**4, "memory": 10**3}, "environment", r"in about 2.58 GB .* at most 2,... rounds"),
        (
            (TFT, ALLD),
            {"rounds": None, "continuation": 1 - 1e-12},
            "environment",
            r"GB of memory; .*use cycle$",
        ),
        (
            (TFT, FICKLE),
            {"rounds": None, "continuation": 1 - 1e-12},
            "environment",
            r"take at most 2..,... rounds, which is a continuation probability of at most 0\.999996",
        ),
        (
            (TFT, FICKLE),
            {"rounds": None, "continuation": 1 - 1e-12},
            "chain",
            r"about 1e\+12 rounds .*rounding errors grow with them; at most 10,000,000,000; no other engine can",
        ),
        ((TFT, Uniform()), {}, "compiled", r"'uniform' is not an automaton; use environment"),
        ((TFT, Uniform()), {}, "vectorised", r"'uniform' is not an automaton or a counting strategy; use environment"),
        ((TFT, ALLD), {"memory": 0}, "environment", r"memory = 0 .*; use cycle or chain or compiled or vectorised"),
        (
            (TFT, ALLD, ALLD),
            {},
            None,
            r"prisoners_dilemma has 2 players; the group has 3: tit_for_tat, alw",
        ),
        ((TFT, ALLD), {"rounds": None}, None, r"no engine can play tit_for_tat, always_defect: the match has no end"),
        (
            (TFT, strategy("random")),
            {"rounds": 2 * 10**10, "noise": 0.1},
            None,
            r"no engine .*rounds.*at most 10,000,000,000",
        ),
        ((TFT, ALLD), {"rounds": None}, "chain", r"the match has no end: .*; no other engine can"),
    ],
)
def test_the_refusal_gives_the_reason_and_the_engines_that_can(
    group: Sequence[Agent], options: dict[str, Any], engine: str | None, message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        choose_engine(rules_of(PD, **{"rounds": 10} | options), group, engine)


def test_unknown_engines_and_strategies_for_other_tables() -> None:
    with pytest.raises(UnknownNameError, match="unknown engine 'chains'; did you mean 'chain'"):
        choose_engine(rules_of(PD, rounds=2), (TFT, ALLD), "chains")
    with pytest.raises(UnknownNameError, match="unknown engine 'fast'; known: cycle, chain, compiled, vectorised, env"):
        choose_engine(rules_of(PD, rounds=2), (TFT, ALLD), "fast")
    with pytest.raises(StrategyError, match="'three' is for 3 players"):
        choose_engine(rules_of(PD, rounds=2), (TFT, THREE))
    with pytest.raises(EngineError, match="more than 4,096 in matches without a limit of rounds"):
        choose_engine(rules_of(PD, continuation=0.9), (memory_one("x", 0.1, 0.2, 0.3, 0.4, 0.5), LARGE), "chain")
    with pytest.raises(EngineError, match=r"keys of shape \(1, 2\) for 2 groups"):
        play_groups(rules_of(PD, rounds=2), [(TFT, ALLD)] * 2, seeds(1, 2))
    with pytest.raises(
        EngineError, match=r"no engine can play .*: 'mirror' is a counting strategy, for two players only"
    ):
        choose_engine(rules_of("public_goods", n_players=3, rounds=2), (TFT, MIRROR, ALLD))


@pytest.mark.parametrize("game", ["rock_paper_scissors", "matching_pennies"])
@pytest.mark.parametrize("engine", [None, *ENGINES])
def test_strategies_do_not_play_without_cooperation(game: str, engine: str | None) -> None:
    """Tit for tat cannot reciprocate where no action is cooperative; no engine invents a reading."""
    group = [strategy("tit_for_tat"), strategy("random")]
    with pytest.raises(StrategyError, match=f"in {game} the degrees of cooperation are 0.5, 0.5"):
        choose_engine(rules_of(game, rounds=5), group, engine)


def test_the_refusal_of_a_large_group_names_its_first_agents() -> None:
    rules = rules_of("public_goods", n_players=1000, rounds=10**6)
    with pytest.raises(EngineError, match=r"^no engine can play uniform, uniform, uniform, ... \(1000 agents\)"):
        choose_engine(rules, [Uniform()] * 1000)
