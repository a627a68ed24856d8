"""Names of Axelrod-Python's strategies: all their spellings, parameters, and what is refused."""

import pickle
import sys
from typing import Any

import pytest

from dilemmas.agents.axelrod.bridge import axelrod_agent
from dilemmas.agents.axelrod.names import axelrod_library
from dilemmas.agents.strategies.finite_state import StrategyError
from dilemmas.envs.names import UnknownNameError


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("EvolvedLookerUp2_2_2", "EvolvedLookerUp2_2_2"),
        ("Tit For Tat", "TitForTat"),
        ("tit_for_tat", "TitForTat"),
        ("N Tit(s) For M Tat(s)", "NTitsForMTats"),
        ("N Tit(s) For M Tat(s): 4, 2", "NTitsForMTats(N=4, M=2)"),
        ("Random: 0.3", "Random(p=0.3)"),
        ("Random(0.3)", "Random(p=0.3)"),
        ("Soft Go By Majority: 10", "GoByMajority10"),
        ("Retaliate2", "Retaliate2"),
        ("Retaliate(2)", "Retaliate(retaliation_threshold=2)"),
        ("Retaliate: 2", "Retaliate(retaliation_threshold=2)"),
        ("Grumpy: Grumpy, 5, -5", "Grumpy(starting_state='Grumpy', grumpy_threshold=5, nice_threshold=-5)"),
        ("Cycler(cycle='CDD')", "Cycler(cycle='CDD')"),
        ("Handshake([C, D, D])", "Handshake(initial_plays=[C, D, D])"),
        ("MemoryOnePlayer((1, 0, 1, 0), D)", "MemoryOnePlayer(four_vector=(1, 0, 1, 0), initial=D)"),
    ],
)
def test_names(axl: Any, written: str, meant: str) -> None:
    agent = axelrod_agent(written)
    assert (agent.name, agent.text) == (f"axelrod:{meant}", meant)
    again = pickle.loads(pickle.dumps(agent))
    assert again == agent
    assert again.player == agent.player


def test_parameters_as_arguments(axl: Any) -> None:
    assert axelrod_agent("Random", p=0.3) == axelrod_agent("Random(p=0.3)")
    assert axelrod_agent("Random(p=0.3)").player == axl.Random(0.3)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("TitForTatt", "'TitForTatt'; did you mean 'TitForTat'"),
        ("Randm(p=0.3)", "'Randm'; did you mean 'Random'"),
        ("zzzzz", "list them: python -c"),
        ("Random(q=0.3)", "unknown parameter 'q' in Axelrod's Random; known: p"),
        ("TitForTat(3)", "TitForTat has no parameters; got 1 values"),
        ("Random(p=open('secret'))", "must be literals"),
        ("Random(0.3", "must be literals"),
        ("Random(0.3)(0.4)", "must be literals"),
        ("Meta Player: 3 players", r"no strategy 'Meta Player: 3 players'; write MetaPlayer\(team=...\)"),
        ("FSMPlayer(initial_state=3)", r"FSMPlayer\(initial_state=3\): ValueError"),
        ("Darwin", "Darwin inspects source: it needs the opponent itself"),
    ],
)
def test_names_refused(axl: Any, written: str, said: str) -> None:
    with pytest.raises((UnknownNameError, StrategyError), match=said):
        axelrod_agent(written)


def test_without_axelrod_the_message_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "axelrod", None)
    axelrod_library.cache_clear()
    with pytest.raises(StrategyError, match=r'pip install "dilemmas\[axelrod\]"'):
        axelrod_agent("TitForTat")
    axelrod_library.cache_clear()
