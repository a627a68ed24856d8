"""What intended choices add to realised ones, in a simulated experiment of Fudenberg, Rand & Dreber 2012.

AER 102:720: benefit / cost 4, continuation probability 7/8, and an error in 1/8 of all choices, which the players see.
"""

import numpy as np
import pytest

from dilemmas.agents.strategies.catalogue import strategy
from dilemmas.agents.strategies.finite_state import Automaton
from dilemmas.experiments.inference.likelihoods import evidence
from dilemmas.experiments.inference.mixture import fit_mixture
from dilemmas.experiments.inference.recorded_play import Choice, PlayerHistory

ERROR, LAST = 1 / 8, 1 / 8
NAMES, SUBJECTS, MATCHES = ("tft", "tit_for_two_tats", "grim", "allc", "alld"), 100, 3
NUMBERS = (7, 33, 10, 20, 30)
"""Subjects with each of the strategies: 7% play Tit for Tat."""


def strategies() -> list[Automaton]:
    found = [strategy(name) for name in NAMES]
    assert all(isinstance(one, Automaton) for one in found)
    return found


def match(pair: tuple[Automaton, Automaton], rng: np.random.Generator) -> np.ndarray:
    """Intended and realised choices, C = 0, of both players, shape (rounds, 2, 2)."""
    states, rounds = [0, 0], []
    for _ in range(int(rng.geometric(LAST))):
        intended = [1 - int(one.cooperate[state]) for one, state in zip(pair, states, strict=True)]
        realised = [choice ^ int(rng.random() < ERROR) for choice in intended]
        after = zip(pair, states, realised, realised[::-1], strict=True)
        states = [one.after[state][2 * own + other] for one, state, own, other in after]
        rounds.append([intended, realised])
    return np.array(rounds)


Play = dict[Choice, dict[str, list[PlayerHistory]]]


def experiment(seed: int) -> Play:
    """The play of all subjects, with what they did as their choices, or what they decided."""
    rng, known = np.random.default_rng(seed), strategies()
    found: Play = {"played": {}, "decided": {}}
    who = np.repeat(range(len(NAMES)), NUMBERS)
    for number in range(MATCHES):
        for one, other in rng.permutation(SUBJECTS).reshape(-1, 2):
            rounds = match((known[who[one]], known[who[other]]), rng)
            for seat, subject in enumerate((one, other)):
                intended, own, met = rounds[:, 0, seat], rounds[:, 1, seat], rounds[:, 1, 1 - seat]
                for choice, chosen in (("played", own), ("decided", intended)):
                    one_match = PlayerHistory("lab", str(number), 0, str(subject), ("",), own, met, chosen)
                    found[choice].setdefault(str(subject), []).append(one_match)
    return found


@pytest.fixture(scope="module")
def fitted() -> dict[Choice, tuple[np.ndarray, np.ndarray]]:
    """Shares, shape (runs, strategies), and trembles, of twenty experiments, by what counts as a choice."""
    found: dict[Choice, list[tuple[np.ndarray, float]]] = {"played": [], "decided": []}
    for seed in range(20):
        for choice, plays in experiment(seed).items():
            best = fit_mixture(evidence(plays, strategies()), np.random.default_rng(0))
            found[choice].append((best.shares[:, 0], float(best.trembles[0, 0])))
    return {choice: tuple(map(np.array, zip(*fits, strict=True))) for choice, fits in found.items()}


def test_realised_choices_take_errors_for_trembles(fitted: dict[Choice, tuple[np.ndarray, np.ndarray]]) -> None:
    assert fitted["played"][1].mean() == pytest.approx(ERROR, abs=0.01)
    assert fitted["decided"][1].max() < 1e-6


def test_intended_choices_recover_the_share_of_tit_for_tat(
    fitted: dict[Choice, tuple[np.ndarray, np.ndarray]],
) -> None:
    """A realised choice may be an error, so that Tit for Tat is confused with Tit for Two Tats and Grim. The shares
    of either are right on average, because the tremble of the estimate is a model of these errors."""
    truth = np.array(NUMBERS) / SUBJECTS
    missed = {choice: np.abs(shares - truth).mean(axis=0) for choice, (shares, _) in fitted.items()}
    assert all(abs(shares.mean(axis=0) - truth).max() < 0.02 for shares, _ in fitted.values())
    assert missed["decided"][0] < 0.01
    assert missed["played"][0] > 1.5 * missed["decided"][0]
    assert missed["played"].sum() > 1.25 * missed["decided"].sum()
