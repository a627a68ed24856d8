"""Death-birth updating, with and without the games with the dead, against the chain of all states."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from dilemmas.envs.errors import InputError
from dilemmas.envs.games.stage_game import Numbers
from dilemmas.envs.rules.networks import Edges, build_network
from dilemmas.experiments.dynamics.fixation import GAMES, Process, fixation
from dilemmas.experiments.dynamics.moran import moran
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix

DONATION = np.array([[3.0, -1], [4, 0]])  # b = 4, c = 1
DILEMMA = np.array([[3.0, 0], [5, 1]])
RUNS = 4000


def half(points: float) -> float:
    """Exponential fitness of intensity 1/2."""
    return float(np.exp(0.5 * points))


def takes_over(
    payoffs: Numbers, n: int, edges: Edges, fitness: Callable[[float], float], games: str, start: tuple[int, ...]
) -> float:
    """Chance that the players `start`, who have the first type, take over: the chain of all 2^n states."""
    near = [[y for pair in edges for x, y in (pair, pair[::-1]) if x == place] for place in range(n)]
    chain = np.zeros((1 << n, 1 << n))
    for state in range(1 << n):
        types = [1 - (state >> place & 1) for place in range(n)]
        for dead in range(n):
            met = {x: [y for y in near[x] if games == "all" or y != dead] for x in near[dead]}
            fit = {x: fitness(sum(payoffs[types[x], types[y]] for y in met[x]) / max(1, len(met[x]))) for x in met}
            for parent, chance in fit.items():
                after = state & ~(1 << dead) | (1 - types[parent]) << dead
                chain[state, after] += chance / sum(fit.values()) / n
    inner = np.arange(1, (1 << n) - 1)
    won = np.linalg.solve(np.eye(len(inner)) - chain[np.ix_(inner, inner)], chain[inner, -1])
    return float(won[sum(1 << place for place in start) - 1])


@pytest.mark.parametrize(("games", "chance"), [("all", 13 / 33), ("survivors", 1 / 3)])
def test_two_cooperators_and_a_defector(games: str, chance: float) -> None:
    """T = 5, R = 3, P = 1, S = 0, linear fitness. If D dies, C has won. If a C dies, the other C competes with D: with
    all games 1.5 : 5, with survivors 0 : 5. So q = (1/3) / (1/3 + 2/3 * 5/6.5) = 13/33, or (1/3) / (1/3 + 2/3)."""
    assert fixation(DILEMMA, 3, 2, Process("death-birth", games=games)).probability == pytest.approx(chance)
    everybody = tuple(combinations(range(3), 2))
    assert takes_over(DILEMMA, 3, everybody, lambda points: points, games, (0, 1)) == pytest.approx(chance)


@pytest.mark.parametrize("games", GAMES)
@pytest.mark.parametrize(("n", "start"), [(2, 1), (3, 1), (5, 2), (6, 3)])
def test_the_closed_form_is_the_chain_of_all_states(n: int, start: int, games: str) -> None:
    found = fixation(DONATION, n, start, Process("death-birth", "exponential", 0.5, games)).probability
    everybody = tuple(combinations(range(n), 2))
    assert found == pytest.approx(takes_over(DONATION, n, everybody, half, games, tuple(range(start))))


@pytest.mark.parametrize(
    ("degree", "games", "chance"),
    [(None, "all", 0.16955), (4, "all", 0.01966), (None, "survivors", 0.27539), (4, "survivors", 0.02083)],
)
def test_a_cooperator_on_a_ring(degree: int | None, games: str, chance: float) -> None:
    """Donation game b = 4, c = 1, eight players, exp(payoff / 2): on a cycle b / c > 2 favours cooperation (Ohtsuki et
    al. 2006, Nature 441:502), with four neighbours it does not, against 1/8."""
    _, edges = build_network("ring", 8, degree)
    assert edges is not None
    exact = takes_over(DONATION, 8, edges, half, games, (0,))
    assert exact == pytest.approx(chance, abs=1e-5)
    process = Process("death-birth", "exponential", 0.5, games)
    matrix, rng = PayoffMatrix(("C", "D"), DONATION), np.random.default_rng(1)
    runs = moran(matrix, {"C": 1, "D": 7}, rng, steps=5000, runs=RUNS, process=process, edges=edges)
    assert abs((runs.winners == 0).mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / RUNS)


@pytest.mark.parametrize("edges", [None, ((0, 1), (1, 2), (2, 3))])
def test_runs_without_the_games_of_the_dead(edges: Edges | None) -> None:
    """Well mixed, and on a path, whose ends have no other game."""
    process = Process("death-birth", "exponential", 0.5, "survivors")
    graph = edges or tuple(combinations(range(4), 2))
    exact = np.mean([takes_over(DONATION, 4, graph, half, "survivors", (place,)) for place in range(4)])
    matrix, rng = PayoffMatrix(("C", "D"), DONATION), np.random.default_rng(2)
    runs = moran(matrix, {"C": 1, "D": 3}, rng, steps=5000, runs=RUNS, process=process, edges=edges)
    assert abs((runs.winners == 0).mean() - exact) < 4 * np.sqrt(exact * (1 - exact) / RUNS)


def test_only_death_birth_has_survivors() -> None:
    with pytest.raises(InputError, match="games = survivors: with the rule birth-death, nobody has died yet"):
        Process("birth-death", games="survivors")
    with pytest.raises(InputError, match="unknown games 'none'"):
        Process("death-birth", games="none")
