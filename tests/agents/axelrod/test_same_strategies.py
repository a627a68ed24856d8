"""Strategies that are also in Axelrod-Python play the same moves with the same probabilities."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dilemmas.agents.strategies.catalogue import FIRST_TOURNAMENT, STRATEGIES, strategy
from dilemmas.agents.strategies.counting import CountingStrategy, match_information
from dilemmas.agents.strategies.entry import Strategy
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.envs.games.matrix_games import DEFAULTS

PD = DEFAULTS["prisoners_dilemma"]
SHARED = {name: entry.name for entry in STRATEGIES for name in entry.axelrod}
"""Class of Axelrod-Python, and name in the catalogue."""
ROUNDS = 200


class Told:
    """Random numbers of a player of Axelrod-Python that record the probability instead of drawing."""

    def __init__(self) -> None:
        self.chance: float | None = None
        self.cooperate: Any = None

    def random_choice(self, p: float = 0.5) -> Any:
        self.chance = p
        return self.cooperate

    def uniform(self, low: float, high: float) -> float:
        return (low + high) / 2


class Chair:
    """Matches of one strategy from one seat, side by side."""

    def __init__(self, played: Strategy, matches: int, rounds: int | None = ROUNDS, seed: int = 0) -> None:
        self.played, self.matches, self.round = played, matches, 0
        self.rng = np.random.default_rng(seed)
        if isinstance(played, Automaton):
            self.state = np.zeros(matches, dtype=np.int64)
            self.table, self.cooperate = np.array(played.after), np.array(played.cooperate)
        else:
            self.known = played.initial_state(self._random(played), match_information(PD, rounds, np.zeros(matches)))

    def chances(self) -> NDArray[np.float64]:
        if isinstance(self.played, CountingStrategy):
            return self.known[:, 0].copy()
        return np.asarray(self.cooperate[self.state])

    def learn(self, own: NDArray[np.int64], theirs: NDArray[np.int64]) -> None:
        self.round += 1
        if isinstance(self.played, CountingStrategy):
            self.known = self.played.update(self.known, self.round, own, theirs, self._random(self.played))
        else:
            self.state = self.table[self.state, 2 * own + theirs]

    def _random(self, strategy: CountingStrategy) -> NDArray[np.float64]:
        return self.rng.random((self.matches, strategy.n_random))


def games(one: Strategy, others: Sequence[Strategy]) -> list[list[tuple[int, int]]]:
    """The moves of a deterministic strategy against each of the others."""
    left, right = Chair(one, len(others)), [Chair(other, 1) for other in others]
    played = []
    for _ in range(ROUNDS):
        own = (left.chances() < 0.5).astype(np.int64)
        theirs = np.array([chair.chances()[0] < 0.5 for chair in right], dtype=np.int64)
        left.learn(own, theirs)
        for place, chair in enumerate(right):
            chair.learn(theirs[place : place + 1], own[place : place + 1])
        played.append((own, theirs))
    return [[(int(own[i]), int(theirs[i])) for own, theirs in played] for i in range(len(others))]


def game_there(axl: Any, one: str, other: str) -> list[tuple[int, int]]:
    match = axl.Match((getattr(axl, one)(), getattr(axl, other)()), turns=ROUNDS, seed=0)
    return [tuple(int(action == axl.Action.D) for action in joint) for joint in match.play()]


def same_games(axl: Any, names: Sequence[str]) -> Iterator[str]:
    """Pairs whose matches differ between Axelrod-Python and dilemmas."""
    for place, one in enumerate(names):
        others = names[place:]
        here = games(strategy(SHARED[one]), [strategy(SHARED[other]) for other in others])
        for other, game in zip(others, here, strict=True):
            if game != game_there(axl, one, other):
                yield f"{one} v {other}"


def deterministic() -> list[str]:
    return [name for name, here in SHARED.items() if strategy(here).deterministic]


def chances_there(axl: Any, name: str, history: Sequence[tuple[int, int]], rounds: float) -> list[float]:
    """Probabilities of cooperation of a player of Axelrod-Python, round by round, along given actions."""
    C, D = axl.Action.C, axl.Action.D
    player, other, result = getattr(axl, name)(), axl.MockPlayer([C]), Told()
    result.cooperate = C
    player.set_match_attributes(rounds, axl.Game(), 0)
    found = []
    for own, theirs in history:
        player._random, result.chance = result, None
        action = player.strategy(other)
        found.append(float(action == C) if result.chance is None else result.chance)
        player.update_history((C, D)[own], (C, D)[theirs])
        other.update_history((C, D)[theirs], (C, D)[own])
    return found


def history_of(played: Strategy, rounds: int, seed: int) -> tuple[list[tuple[int, int]], list[float]]:
    """A random match with noise, and the probabilities of cooperation in it."""
    rng, chair = np.random.default_rng(seed), Chair(played, 1, rounds)
    history, chances = [], []
    for _ in range(rounds):
        chance = float(chair.chances()[0])
        own = int(rng.random() >= chance) ^ int(rng.random() < 0.05)
        theirs = int(rng.random() < rng.choice([0.1, 0.5, 0.9], p=[0.6, 0.2, 0.2]) if seed % 2 else rng.random() < 0.5)
        chair.learn(np.array([own]), np.array([theirs]))
        history.append((own, theirs))
        chances.append(chance)
    return history, chances


def test_probabilities_are_equal_after_any_history(axl: Any) -> None:
    """Also for random strategies and noise; Graaskamp is left out, which draws integers instead of probabilities."""
    for there, here in SHARED.items():
        for seed in range(6) if there != "FirstByGraaskamp" else ():
            history, chances = history_of(strategy(here), 70, seed)
            assert chances == pytest.approx(chances_there(axl, there, history, 70), abs=1e-12), (there, seed)


@pytest.mark.parametrize("there", ["FirstByTidemanAndChieruzzi", "FirstBySteinAndRapoport"])
def test_without_a_known_length_they_do_not_defect_at_the_end(axl: Any, there: str) -> None:
    C = 0
    nice = [(C, C)] * 20
    chair = Chair(strategy(SHARED[there]), 1, rounds=None)
    assert chances_there(axl, there, nice, float("inf")) == [1.0] * 20
    assert chances_there(axl, there, nice, 20) == [1.0] * 18 + [0.0] * 2
    for _ in nice:
        assert chair.chances() == 1
        chair.learn(np.array([C]), np.array([C]))


def test_memory_one_strategies_have_the_vectors_that_are_stated_there(axl: Any) -> None:
    stated = 0
    for there, here in SHARED.items():
        player = getattr(axl, there)()
        if isinstance(player, axl.MemoryOnePlayer):
            player.set_match_attributes(ROUNDS, axl.Game(), 0)
            one = strategy(here)
            assert isinstance(one, Automaton)
            first = one.cooperate[0]
            mine = [first, *(one.cooperate[one.after[0][column]] for column in range(4))]
            C, D = axl.Action.C, axl.Action.D
            vector = [player._four_vector[last] for last in ((C, C), (C, D), (D, C), (D, D))]
            assert mine == pytest.approx([float(player._initial == C), *vector], abs=1e-12), there
            stated += 1
    assert stated >= 15


SAMPLE = (
    *("TitForTat", "TitFor2Tats", "TwoTitsForTat", "SuspiciousTitForTat", "Bully", "WinStayLoseShift", "Grudger"),
    *("SoftGrudger", "CyclerCCD", "Handshake", "Fortress4", "EvolvedFSM16", "Capri", "Winner21", "Gradual"),
    *("FirstByTidemanAndChieruzzi", "FirstByNydegger", "FirstByShubik", "FirstBySteinAndRapoport", "FirstByDowning"),
)


def test_some_strategies_play_the_same_games(axl: Any) -> None:
    assert list(same_games(axl, SAMPLE)) == []


@pytest.mark.slow
def test_all_deterministic_strategies_play_the_same_games(axl: Any) -> None:
    names = deterministic()
    assert len(names) > 80
    assert list(same_games(axl, names)) == []


def sampled_here(one: str, other: str, matches: int, rounds: int) -> NDArray[np.float64]:
    """Own cooperations and total payoff of every match, shape (matches, 2)."""
    chairs = [Chair(strategy(name), matches, rounds, seed) for seed, name in enumerate((one, other))]
    rng, total = np.random.default_rng(2), np.zeros((matches, 2))
    for _ in range(rounds):
        own, theirs = (np.int64(rng.random(matches) >= chair.chances()) for chair in chairs)
        chairs[0].learn(own, theirs)
        chairs[1].learn(theirs, own)
        total += np.stack([1 - own, np.array(PD.table)[own, theirs]], axis=1)
    return total


def sampled_there(axl: Any, one: str, other: str, matches: int, rounds: int) -> NDArray[np.float64]:
    found = []
    for seed in range(matches):
        players = tuple(getattr(axl, name)() for name in (one, other))
        match = axl.Match(players, turns=rounds, seed=seed)
        match.play()
        found.append((match.cooperation()[0], match.final_score()[0]))
    return np.array(found, dtype=np.float64)


STOCHASTIC = [("FirstByGraaskamp", "FirstByGrofman"), ("FirstByTullock", "FirstByFeld"), ("FirstByJoss", "Random")]


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), STOCHASTIC)
def test_sampled_matches_are_the_same_within_four_standard_errors(axl: Any, one: str, other: str) -> None:
    """10,000 matches of 70 rounds; Graaskamp's probes begin in round 57."""
    here = sampled_here(SHARED[one], SHARED[other], 10_000, 70)
    there = sampled_there(axl, one, other, 10_000, 70)
    error = np.sqrt((here.var(axis=0) + there.var(axis=0)) / 10_000)
    assert (abs(here.mean(axis=0) - there.mean(axis=0)) <= 4 * error).all()


def test_graaskamp_defects_equally_often_against_other_opponents(axl: Any) -> None:
    """Rounds between its defections against an opponent that is neither random nor Tit for Tat."""
    rounds, matches = 400, 60

    def gaps(plays: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.diff(np.flatnonzero(plays[60:]))

    cycle = strategy("cycler(CCCCD)")
    chairs = Chair(strategy("graaskamp"), matches, rounds), Chair(cycle, matches)
    here = []
    for _ in range(rounds):
        own, theirs = (np.int64(chair.chances() < 0.5) for chair in chairs)
        chairs[0].learn(own, theirs)
        chairs[1].learn(theirs, own)
        here.append(own == 1)
    mine = np.concatenate([gaps(column) for column in np.array(here).T])
    theirs_ = []
    for seed in range(matches // 4):
        match = axl.Match((axl.FirstByGraaskamp(), axl.Cycler("CCCCD")), turns=rounds, seed=seed)
        theirs_.append(gaps(np.array([one == axl.Action.D for one, _ in match.play()])))
    other = np.concatenate(theirs_)
    assert set(mine.tolist()) == set(range(5, 15)) >= set(other.tolist())
    error = np.sqrt(mine.var() / len(mine) + other.var() / len(other))
    assert abs(mine.mean() - other.mean()) <= 4 * error


def test_the_fifteen_of_the_first_tournament_are_all_shared() -> None:
    first = {"TitForTat", "Grudger", "Random"} | {name for name in SHARED if name.startswith("FirstBy")}
    assert {SHARED[name] for name in first} == set(FIRST_TOURNAMENT)
