"""Sampled matches in NumPy: expected games, agreement with enumeration and exact engines, independence of batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dilemmas.agents.engines.cycles import play_cycle
from dilemmas.agents.engines.requirements import EngineError
from dilemmas.agents.engines.tally import Tally
from dilemmas.agents.engines.vectorised import play_vectorised
from dilemmas.agents.strategies.counting import ActionArray, CountingStrategy, MatchInformation
from dilemmas.agents.strategies.finite_state import Automaton, memory_one
from dilemmas.agents.two_actions import payoff_table
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.rules.repeated import Repeated

TFT = memory_one("tit_for_tat", 1, 1, 0, 1, 0)


ALLC = memory_one("always_cooperate", 1, 1, 1, 1, 1)


ALLD = memory_one("always_defect", 0, 0, 0, 0, 0)


RANDOM = memory_one("random", 0.5, 0.5, 0.5, 0.5, 0.5)


FICKLE = memory_one("fickle", 0.9, 0.8, 0.3, 0.6, 0.1)


GENEROUS = memory_one("generous", 1, 1, 1 / 3, 1, 1 / 3)


PD = "prisoners_dilemma"


@dataclass(frozen=True)
class Majority(CountingStrategy):
    """Plays the opponent's more frequent move; C at a tie."""

    name: str = "majority"
    deterministic = True

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.tile([1.0, 0.0], (len(random), 1))

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        state[:, 1] += 1 - 2 * theirs
        state[:, 0] = state[:, 1] >= 0
        return state


@dataclass(frozen=True)
class Moody(CountingStrategy):
    """Draws whether to cooperate before the match and again in every third round."""

    name: str = "moody"
    n_random = 2

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.asarray(random[:, :1] < 0.25, dtype=np.float64)

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        return np.asarray(random[:, 1:] < 0.25, dtype=np.float64) if round % 3 == 0 else state


@dataclass(frozen=True)
class Dice(CountingStrategy):
    """Draws every action by whether two random numbers of its own agree, but for the first one."""

    name: str = "dice"
    n_random = 2

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        return np.full((len(random), 1), 0.5)

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        return np.asarray((random[:, :1] < 0.5) == (random[:, 1:] < 0.5), dtype=np.float64)


@dataclass(frozen=True)
class Informed(CountingStrategy):
    """Defects in the last round if it is known, and always if mutual defection pays more than `fear`."""

    fear: float
    name: str = "informed"

    def initial_state(self, random: Numbers, information: MatchInformation) -> Numbers:
        calm = information.payoffs[:, 1, 1, 0] <= self.fear
        return np.stack([calm * (information.rounds != 1), calm, np.full(len(random), information.rounds or 0)], axis=1)

    def update(self, state: Numbers, round: int, own: ActionArray, theirs: ActionArray, random: Numbers) -> Numbers:
        state[:, 0] = state[:, 1] * (state[:, 2] != round + 1)
        return state


def seeds(groups: int, matches: int, seed: int = 0) -> NDArray[np.uint64]:
    return np.random.default_rng(seed).integers(0, 2**64, (groups, matches), dtype=np.uint64)


def one(rules: Repeated, *group: Automaton | CountingStrategy, matches: int = 1, seed: int = 0) -> Tally:
    (tally,) = play_vectorised(rules, [group], seeds(1, matches, seed))
    return tally


def same(a: Tally, b: Tally) -> bool:
    """Whether two tallies are the same bit for bit."""
    fields = ("rounds", "payoffs", "moves", "outcomes")
    return all(np.array_equal(getattr(a, field), getattr(b, field)) for field in fields)


def enumerated(rules: Repeated, group: Sequence[Automaton], rounds: int) -> tuple[Numbers, Numbers]:
    """Expected points and cooperations of each player over so many rounds, by going through all that can happen."""
    points, cooperations = np.zeros(2), np.zeros(2)
    worth = payoff_table(rules)
    for played in product(product((0, 1), repeat=2), repeat=rounds):
        chance, states = 1.0, [0, 0]
        for joint in played:
            for seat, strategy in enumerate(group):
                meant = strategy.cooperate[states[seat]]
                happens = meant * (1 - rules.noise) + (1 - meant) * rules.noise
                chance *= happens if joint[seat] == 0 else 1 - happens
                states[seat] = strategy.after[states[seat]][2 * joint[seat] + joint[1 - seat]]
        points += chance * sum(worth[joint] for joint in played)
        cooperations += chance * np.sum(1 - np.array(played), axis=0)
    return points, cooperations


@pytest.mark.parametrize(
    ("group", "saw", "points"),  # what the first player saw in four rounds: CC, CD, DC, DD; T=5, R=3, P=1, S=0
    [
        ((TFT, ALLD), [0, 1, 0, 3], [3, 8]),
        ((TFT, TFT), [4, 0, 0, 0], [12, 12]),
        ((ALLD, ALLC), [0, 0, 4, 0], [20, 0]),
        ((memory_one("wsls", 1, 1, 0, 0, 1), ALLD), [0, 2, 0, 2], [2, 12]),
        ((Majority(), ALLD), [0, 1, 0, 3], [3, 8]),
        ((Majority(), memory_one("alternator", 1, 0, 0, 1, 1)), [2, 2, 0, 0], [6, 16]),
    ],
)
def test_expected_game(group: Sequence[Automaton | CountingStrategy], saw: list[int], points: list[int]) -> None:
    tally = one(rules_of(PD, rounds=4), *group)
    assert tally.outcomes[0, 0].tolist() == saw
    assert tally.payoffs[0].tolist() == points
    assert tally.rounds.tolist() == [4]


def test_moves_are_counted_by_the_outcome_before() -> None:
    tally = one(rules_of(PD, rounds=4), TFT, ALLD)  # CD DD DD DD
    first, cc, cd, dc, dd = tally.moves[0, 0].tolist()
    assert (first, cc, cd, dc, dd) == ([1, 0], [0, 0], [0, 1], [0, 0], [0, 2])
    assert tally.moves[0, 1].tolist() == [[0, 1], [0, 0], [0, 0], [0, 1], [0, 2]]  # it saw DC, DD, DD, DD


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize("group", [(FICKLE, GENEROUS), (GENEROUS, GENEROUS), (RANDOM, TFT), (FICKLE, ALLD)])
def test_payoffs_and_cooperation_agree_with_enumeration(group: Sequence[Automaton], noise: float) -> None:
    rules = rules_of(PD, rounds=4, noise=noise)
    points, cooperations = enumerated(rules, group, 4)
    tally = one(rules, *group, matches=20_000)
    for sampled, exact in ((tally.payoffs, points), (tally.moves[..., 0].sum(axis=2), cooperations)):
        error = sampled.std(axis=0) / np.sqrt(len(sampled))
        assert (np.abs(sampled.mean(axis=0) - exact) <= 5 * error + 1e-9).all()


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)), st.sampled_from([{"rounds": 9}, {"continuation": 0.8}, {"rounds": (1, 30)}]))
def test_a_match_does_not_depend_on_its_batch(order: list[int], length: dict[str, object]) -> None:
    rules = rules_of(PD, noise=0.1, **length)
    groups = [(TFT, FICKLE), (Moody(), Majority()), (ALLC, Moody()), (RANDOM, RANDOM), (Majority(), TFT), (ALLD, TFT)]
    keys = seeds(6, 5)
    alone = [play_vectorised(rules, [group], row[None])[0] for group, row in zip(groups, keys, strict=True)]
    together = play_vectorised(rules, [groups[place] for place in order], keys[order])
    assert all(same(alone[place], tally) for place, tally in zip(order, together, strict=True))
    (part,) = play_vectorised(rules, [groups[1]], keys[1:2, 3:])
    assert np.array_equal(part.payoffs, alone[1].payoffs[3:])


def test_many_matches_are_the_matches_one_by_one() -> None:
    """More matches than fit in a batch, many of which end before others."""
    rules, keys = rules_of(PD, continuation=0.97, noise=0.1), seeds(2, 12_000)
    whole = play_vectorised(rules, [(FICKLE, TFT), (Moody(), FICKLE)], keys)
    longest = whole[0].rounds.argmax()
    assert whole[0].rounds[longest] > 200
    for place in (0, longest, 8_191, 8_192, 11_999):
        for group, tally, row in zip([(FICKLE, TFT), (Moody(), FICKLE)], whole, keys, strict=True):
            (alone,) = play_vectorised(rules, [group], row[None, place : place + 1])
            assert np.array_equal(alone.moves[0], tally.moves[place])


def test_a_counting_strategy_has_its_own_reproducible_random_numbers() -> None:
    tally = one(rules_of(PD, rounds=3), Moody(), RANDOM, matches=8_000)
    cooperations = tally.moves[:, 0, :, 0].sum(axis=1)
    assert set(cooperations) == {0, 3}
    assert (cooperations == 3).mean() == pytest.approx(0.25, abs=5 * np.sqrt(0.19 / 8_000))
    good = cooperations == 3
    met = tally.moves[:, 1, :, 0].sum(axis=1)
    assert met[good].mean() == pytest.approx(met[~good].mean(), abs=0.1)  # the other's draws are others


def test_its_random_numbers_are_independent_of_its_actions() -> None:
    tally = one(rules_of(PD, rounds=2), Dice(), RANDOM, matches=8_000)
    first, second = tally.moves[:, 0, 0, 0], tally.moves[:, 0, 1:, 0].sum(axis=1)
    for found in (first, second, first == second):
        assert found.mean() == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / 8_000))


def test_a_counting_strategy_receives_the_payoffs_of_its_seat_and_the_length_only_with_a_clock() -> None:
    keen = memory_one("keen", 1, 1, 1, 1, 1)
    for clock, defections in ((True, 1), (False, 0)):
        tally = one(rules_of(PD, rounds=5, clock=clock), Informed(fear=1), keen)
        assert tally.moves[0, 0, :, 1].sum() == defections
    rules = rules_of("bimatrix_game", row=((3, 0), (5, 1)), column=((3, 9), (0, 2)), rounds=2)
    tally = one(rules, Informed(fear=1), Informed(fear=1))
    assert tally.moves[0, :, :, 1].sum(axis=1).tolist() == [0, 2]  # the column player gets 2 where both defect


def automata(players: int) -> st.SearchStrategy[Automaton]:
    """Automata that leave nothing to chance."""

    def of(states: int) -> st.SearchStrategy[Automaton]:
        row = st.tuples(*[st.integers(0, states - 1)] * (2 * players))
        chances = st.tuples(*[st.sampled_from([0.0, 1.0])] * states)
        return st.builds(
            lambda cooperate, after, blames: Automaton("any", cooperate, after, players, blames),
            chances,
            st.tuples(*[row] * states),
            st.booleans(),
        )

    return st.integers(1, 5).flatmap(of)


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(2, 8), st.integers(1, 30), st.booleans())
def test_deterministic_matches_agree_with_the_exact_engine(
    data: st.DataObject, n: int, rounds: int, punishing: bool
) -> None:
    """For two and more players, with more joint actions than are counted one by one, and with punishment."""
    group = data.draw(st.tuples(*[automata(n)] * n))
    punishment = (1, 3) if punishing else None
    rules = rules_of("public_goods", n_players=n, multiplier=1.5, rounds=rounds, punishment=punishment)
    tally, exact = one(rules, *group), play_cycle(rules, group)
    assert np.array_equal(tally.moves, exact.moves)
    assert np.array_equal(tally.outcomes, exact.outcomes)
    assert tally.payoffs == pytest.approx(exact.payoffs)


@pytest.mark.parametrize("n", [3, 7])
def test_payoffs_include_the_punishment_in_the_rounds_that_were_played(n: int) -> None:
    """All but one contribute; if the others punish, each of them pays 1 and deducts 3."""
    rules = rules_of("public_goods", n_players=n, multiplier=n / 2, endowment=4, continuation=0.98, punishment=(1, 3))
    strict = Automaton("strict", (1.0,), ((0,) * 4,), punishes=True)
    keys = seeds(3, 40)
    groups = [[ALLC] * (n - 1) + [ALLD], [strict] * (n - 1) + [ALLD], [ALLC] * n]
    free, fined, good = play_vectorised(rules, groups, keys)
    share = (n - 1) * 4 / 2
    assert free.payoffs == pytest.approx(free.rounds[:, None] * np.array([share] * (n - 1) + [share + 4]))
    takes = np.array([share - 1] * (n - 1) + [share + 4 - 3 * (n - 1)])
    assert fined.payoffs == pytest.approx(fined.rounds[:, None] * takes)
    assert good.payoffs == pytest.approx(good.rounds[:, None] * np.full(n, 2 * n))
    assert len(set(free.rounds)) > 5


def test_a_strategy_for_two_plays_in_a_group() -> None:
    """Tit for Tat follows at least half of the others: 1 of 2 defecting is not enough to make it defect."""
    rules = rules_of("n_person_prisoners_dilemma", n_players=3, rounds=4)
    tally = one(rules, TFT, ALLC, ALLD)
    assert tally.moves[0, :, :, 1].sum(axis=1).tolist() == [0, 0, 4]
    tally = one(rules, TFT, ALLD, ALLD)
    assert tally.moves[0, :, :, 1].sum(axis=1).tolist() == [3, 4, 4]


def test_refused() -> None:
    keys = seeds(1, 2)
    with pytest.raises(EngineError, match=r"prisoners_dilemma has 2 players; the group has 3: tit_for_tat, always_"):
        play_vectorised(rules_of(PD, rounds=2), [(TFT, ALLC, ALLD)], keys)
    with pytest.raises(EngineError, match="'majority' is a counting strategy, for two players"):
        play_vectorised(rules_of("public_goods", n_players=3, rounds=2), [(TFT, ALLC, Majority())], keys)
    with pytest.raises(EngineError, match=r"keys of shape \(2,\) for 1 groups; must be \(groups, matches\)"):
        play_vectorised(rules_of(PD, rounds=2), [(TFT, ALLC)], keys[0])
    with pytest.raises(EngineError, match="the match has no end"):
        play_vectorised(rules_of(PD), [(TFT, ALLC)], keys)
    with pytest.raises(EngineError, match=r"misperception = 0\.1; use environment"):
        play_vectorised(rules_of(PD, rounds=2, misperception=0.1), [(TFT, ALLC)], keys)
