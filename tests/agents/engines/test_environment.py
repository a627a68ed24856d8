"""Matches in environments have the same counts as in other engines, and agents are shown exactly what they need."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dilemmas.agents.agent import Agent, Decision, PlayerRecord, Source, Traits, Turn
from dilemmas.agents.engines import environment
from dilemmas.agents.engines.chains import play_chains
from dilemmas.agents.engines.cycles import play_cycle
from dilemmas.agents.engines.environment import play_in_environment
from dilemmas.agents.engines.requirements import EngineError
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.engines.vectorised import play_vectorised
from dilemmas.agents.matches.record import MatchRecord, Reason
from dilemmas.agents.strategies.catalogue import Uniform
from dilemmas.agents.strategies.counting import ActionArray, CountingStrategy, MatchInformation
from dilemmas.agents.strategies.finite_state import Automaton, memory_one
from dilemmas.envs.games.stage_game import Joint, Numbers
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.repeated import Repeated

PD = "prisoners_dilemma"
TFT = memory_one("tit_for_tat", 1, 1, 0, 1, 0)
ALLC = memory_one("always_cooperate", 1, 1, 1, 1, 1)
ALLD = memory_one("always_defect", 0, 0, 0, 0, 0)
FICKLE = memory_one("fickle", 0.9, 0.8, 0.3, 0.6, 0.1)
GENEROUS = memory_one("generous", 1, 1, 1 / 3, 1, 1 / 3)
GRUDGE = Automaton("grudge", (1.0, 0.0), ((0, 1, 0, 1), (1, 1, 1, 1)))  # needs the whole history


@dataclass(frozen=True)
class Counter(CountingStrategy):
    """Cooperates with a probability that grows with the opponent's cooperation; it needs the whole history."""

    name: str = "counter"

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([0.5, 0.0], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        state[:, 1] += 1 - theirs
        state[:, 0] = (1 + state[:, 1]) / (2 + round)
        return state


@dataclass
class Spy:
    """Cooperates and records what it is shown; plays `last` in round `at`."""

    last: int | None = 0
    at: int = -1
    name: str = "spy"
    seen: list[tuple[int, str, tuple[Joint, ...]]] = field(default_factory=list)

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        for turn in turns:
            view = turn.info["view"]
            self.seen.append((view.round, view.phase, view.history))
        return [Decision(self.last if turn.info["view"].round == self.at else 0, None, Source.RULE) for turn in turns]

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:

        return PlayerRecord(self.name, "scripted")


def seeds(matches: int, seed: int = 0) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(0, 2**64, matches, dtype=np.uint64)


def one(rules: Repeated, *group: Agent, matches: int = 1) -> Tally:
    return play_in_environment(rules, group, seeds(matches))


def test_matches_do_not_depend_on_how_many_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = rules_of(PD, rounds=5, noise=0.2)
    together = one(rules, FICKLE, TFT, matches=5)
    monkeypatch.setattr(environment, "MOST_RECORDED", 25_000)
    apart = one(rules, FICKLE, TFT, matches=5)
    assert np.array_equal(together.moves, apart.moves)
    assert np.array_equal(together.payoffs, apart.payoffs)


@pytest.mark.parametrize("options", [{}, {"punishment": (1, 3)}, {"talk": 1}, {"punishment": (1, 2), "reward": (1, 1)}])
def test_deterministic_counts_equal_those_of_the_exact_engine(options: dict[str, object]) -> None:
    rules = rules_of("public_goods", n_players=3, multiplier=1.5, rounds=6, **options)
    group = [TFT, replace(GRUDGE, punishes=True), memory_one("wsls", 0, 1, 0, 0, 1)]
    tally, exact = one(rules, *group), play_cycle(rules, group)
    assert np.array_equal(tally.moves, exact.moves)
    assert np.array_equal(tally.outcomes, exact.outcomes)
    assert tally.rounds.tolist() == exact.rounds.tolist() == [6]
    assert tally.payoffs == pytest.approx(exact.payoffs)


@pytest.mark.parametrize(
    ("group", "options"),
    [((FICKLE, GENEROUS), {"rounds": 5, "noise": 0.1}), ((GRUDGE, FICKLE), {"continuation": 0.7, "noise": 0.1})],
)
def test_with_chance_it_comes_near_the_exact_engine(group: list[Automaton], options: dict[str, float]) -> None:
    rules = rules_of(PD, **options)
    tally, (exact,) = one(rules, *group, matches=400), play_chains(rules, [group])
    error = tally.payoffs.std(axis=0) / 20
    assert (np.abs(tally.payoffs.mean(axis=0) - exact.payoffs[0]) < 5 * error).all()
    shares = tally.moves.mean(axis=0), exact.moves[0]
    assert np.abs(shares[0] - shares[1]).max() < 5 * tally.moves.std(axis=0).max() / 20


def test_a_counting_strategy_plays_as_in_the_vectorised_engine() -> None:
    """The environment shows one round; the counting strategy sees them all."""
    rules = rules_of(PD, rounds=6, noise=0.05)
    tally = one(rules, Counter(), FICKLE, matches=400)
    (other,) = play_vectorised(rules, [(Counter(), FICKLE)], seeds(20_000)[None])
    for found, wanted in ((tally.payoffs, other.payoffs), (tally.moves[..., 0].sum(2), other.moves[..., 0].sum(2))):
        assert (np.abs(found.mean(axis=0) - wanted.mean(axis=0)) < 5 * found.std(axis=0) / 20).all()


def test_agents_receive_the_whole_history_only_if_they_need_it() -> None:
    spy = Spy()
    tally = one(rules_of(PD, rounds=5, memory=1), GRUDGE, spy)
    assert [len(history) for _, _, history in spy.seen] == [0, 1, 1, 1, 1]
    assert tally.moves[0, 0, :, 0].sum() == 5
    spy = Spy(last=1, at=1)  # defects once, and grudge sees it for ever
    tally = one(rules_of(PD, rounds=5, memory=1), GRUDGE, spy)
    assert tally.moves[0, 0, :, 1].sum() == 3


def test_a_match_is_the_same_however_many_follow() -> None:
    rules, keys = rules_of(PD, continuation=0.7, noise=0.2), seeds(8)
    whole, part = (play_in_environment(rules, [Counter(), FICKLE], some) for some in (keys, keys[:3]))
    assert np.array_equal(part.moves, whole.moves[:3])
    assert np.array_equal(part.payoffs, whole.payoffs[:3])


def test_the_recorder_is_called_as_matches_end() -> None:
    records: list[tuple[int, MatchRecord]] = []
    keys = seeds(3)
    tally = play_in_environment(
        rules_of(PD, rounds=2), [TFT, ALLD], keys, lambda place, match: records.append((place, match))
    )
    assert [place for place, _ in records] == [0, 1, 2]
    assert [list(match.outcome.totals.values()) for _, match in records] == tally.payoffs.tolist() == [[1, 6]] * 3
    assert len({match.seed for _, match in records}) == 3


def test_the_rounds_of_an_aborted_match_are_counted() -> None:
    records: list[MatchRecord] = []
    rules = rules_of(PD, rounds=5)
    with pytest.warns(UserWarning, match="spy, always_defect: 2 of 2 matches were aborted by an unreadable reply"):
        tally = play_in_environment(rules, [Spy(None, at=3), ALLD], seeds(2), lambda _, match: records.append(match))
    assert tally.aborted == 2
    assert tally.rounds.tolist() == [3, 3]
    assert tally.payoffs.tolist() == [[0, 15]] * 2
    assert tally.moves[0, 0].sum() == 3
    assert {match.outcome.reason for match in records} == {Reason.ABORTED}
    with pytest.warns(UserWarning, match="1 of 1"):
        nothing = play_in_environment(rules, [Spy(None, at=0), ALLD], seeds(1))
    assert (nothing.rounds.tolist(), nothing.moves.sum()) == ([0], 0)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("public_goods", {"n_players": 3, "levels": 5, "noise": 0.2, "punishment": (1, 3)}),
        ("public_goods", {"n_players": 2, "levels": None}),
        ("rock_paper_scissors", {"misperception": 0.2}),
        ("population", {"n_players": 9, "noise": 0.1}),
        ("population", {"n_players": 5, "graph": "random", "game": "rock_paper_scissors"}),
    ],
)
def test_agents_that_do_anything_under_rules_that_only_this_engine_plays(name: str, options: dict[str, object]) -> None:
    rules = rules_of(name, rounds=4, **options)
    tally = one(rules, *[Uniform()] * rules.n_players, matches=20)
    assert tally.outcomes.sum(axis=2).tolist() == [[4] * rules.n_players] * 20
    assert tally.moves[:, :, 0].sum() == 20 * rules.n_players
    defections = tally.moves[..., 1].sum(axis=(1, 2))
    met = (tally.outcomes * (np.arange(2 * rules.n_players) % rules.n_players)).sum(axis=(1, 2))
    assert (met == (rules.n_players - 1) * defections).all()  # every other player sees a defection


def test_an_action_counts_as_cooperation_if_it_is_at_least_half_as_cooperative_as_possible() -> None:
    rules = rules_of("public_goods", n_players=2, levels=5, rounds=5)  # 20, 15, 10, 5 and 0 of 20 points
    tally = play_in_environment(rules, [Levels(), Levels()], seeds(1))
    assert tally.moves[0, :, :, 0].sum(axis=1).tolist() == [3, 3]


@dataclass(frozen=True)
class Levels:
    """Plays action 0 in the first round, 1 in the second and so on."""

    name: str = "levels"

    def decide(self, turns: Sequence[Turn]) -> list[Decision]:
        return [Decision(turn.info["view"].round, None, Source.RULE) for turn in turns]

    policy = decide

    traits = Traits()

    def describe(self) -> PlayerRecord:

        return PlayerRecord(self.name, "scripted")


def test_refused() -> None:
    with pytest.raises(EngineError, match="the match has no end: set rounds"):
        one(rules_of(PD), TFT, ALLC)
    with pytest.raises(EngineError, match="memory = 0 hides every round"):
        one(rules_of(PD, rounds=2, memory=0), TFT, ALLC)
