"""The simulated Moran process against chains that are solved exactly, over every state of a small population."""

from itertools import product

import numpy as np
import pytest

from dilemmas.envs.errors import InputError
from dilemmas.envs.rules.networks import lattice, ring
from dilemmas.experiments.dynamics.fixation import FITNESS, RULES, Process, fixation
from dilemmas.experiments.dynamics.moran import moran, start_counts
from dilemmas.experiments.dynamics.payoff_matrix import PayoffMatrix

PAYOFFS = np.array([[3.0, 1], [4, 2]])
MATRIX = PayoffMatrix(("C", "D"), PAYOFFS)
PATH = ((0, 1), (1, 2), (2, 3), (3, 4), (1, 4))
"""Five places with one, two or three neighbours."""


def simulated(runs: int = 4000, seed: int = 1, **settings):
    matrix = settings.pop("matrix", MATRIX)
    start = settings.pop("start", {"C": 2})
    n = settings.pop("n", 5)
    settings = {"steps": 10_000, **settings}
    return moran(matrix, start_counts(matrix, n, start), np.random.default_rng(seed), runs=runs, **settings)


def four_errors(p: float, n: int) -> float:
    return 4 * np.sqrt(p * (1 - p) / n)


def every_state(payoffs: np.ndarray, n: int, edges, process: Process, mutation: float = 0.0):
    """All states of a population on a graph, and their Markov chain, computed from the rules."""
    k = len(payoffs)
    near = [[y for pair in edges for x, y in (pair, pair[::-1]) if x == place] for place in range(n)]
    states = list(product(range(k), repeat=n))
    place_of = {state: i for i, state in enumerate(states)}
    chain = np.zeros((len(states), len(states)))
    for state in states:
        earned = [np.mean([payoffs[state[x], state[y]] for y in near[x]]) for x in range(n)]
        w = process.intensity
        fit = np.array([1 - w + w * e if process.fitness == "linear" else np.exp(w * e) for e in earned])
        if process.rule == "death-birth":
            events = [(p, d, fit[p] / fit[near[d]].sum() / n) for d in range(n) for p in near[d]]
        else:
            events = [(p, d, fit[p] / fit.sum() / len(near[p])) for p in range(n) for d in near[p]]
        for parent, dead, chance in events:
            for child in range(k):
                likely = 1 - mutation if child == state[parent] else mutation / (k - 1)
                after = (*state[:dead], child, *state[dead + 1 :])
                chain[place_of[state], place_of[after]] += chance * likely
    return states, chain


def absorbed(states, chain, start: int) -> tuple[float, float]:
    """From a random state with `start` players of type 0: the chance that type 0 takes over, and the mean steps."""
    inner = [i for i, state in enumerate(states) if len(set(state)) > 1]
    visits = np.linalg.inv(np.eye(len(inner)) - chain[np.ix_(inner, inner)])
    won = visits @ chain[inner, states.index((0,) * len(states[0]))]
    rows = [row for row, i in enumerate(inner) if states[i].count(0) == start]
    return won[rows].mean(), visits[rows].sum(axis=1).mean()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("fitness", FITNESS)
def test_well_mixed_runs_agree_with_the_closed_form(rule: str, fitness: str) -> None:
    process = Process(rule, fitness, 0.4)
    runs = simulated(process=process, n=9, start={"C": 4})
    exact = fixation(PAYOFFS, 9, 4, process)
    assert abs((runs.winners == 0).mean() - exact.probability) < four_errors(exact.probability, 4000)
    assert abs(runs.steps.mean() - exact.steps) < 4 * runs.steps.std() / np.sqrt(4000)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("fitness", FITNESS)
def test_runs_on_a_graph_agree_with_the_exact_chain(rule: str, fitness: str) -> None:
    process = Process(rule, fitness, 0.6)
    chance, steps = absorbed(*every_state(PAYOFFS, 5, PATH, process), start=2)
    runs = simulated(process=process, edges=PATH)
    assert abs((runs.winners == 0).mean() - chance) < four_errors(chance, 4000)
    assert abs(runs.steps.mean() - steps) < 4 * runs.steps.std() / np.sqrt(4000)


@pytest.mark.parametrize("edges", [None, PATH])
@pytest.mark.parametrize("rule", RULES)
def test_counts_with_mutation_agree_with_the_exact_chain(rule: str, edges) -> None:
    """Three types after 30 steps. Where all are neighbours the well-mixed process differs only in its pace: a child may
    there take its parent's place, as in death-birth it never does."""
    payoffs = np.array([[1.0, 3, 2], [2, 1, 4], [3, 2, 1]])
    matrix, process = PayoffMatrix(("a", "b", "c"), payoffs), Process(rule)
    n = 5 if edges else 4
    states, chain = every_state(payoffs, n, edges or tuple((i, j) for i in range(4) for j in range(i)), process, 0.2)
    if edges is None and rule == "birth-death":
        chain = _own_place(states, chain, payoffs, 0.2)
    begin = np.array([float(state.count(0) == n) for state in states])
    after = begin @ np.linalg.matrix_power(chain, 30)
    expected = [sum(p * state.count(kind) for p, state in zip(after, states, strict=True)) / n for kind in range(3)]
    runs = simulated(matrix=matrix, n=n, start={"a": n}, process=process, mutation=0.2, steps=30, edges=edges)
    error = runs.counts[-1].std(axis=0) / n / np.sqrt(4000)
    assert (abs(runs.shares[-1] - expected) < 4 * error).all()
    assert (runs.winners == -1).all()


def _own_place(states, chain: np.ndarray, payoffs: np.ndarray, mutation: float) -> np.ndarray:
    """The birth-death chain with n players, in which the offspring may also replace its parent."""
    n, k = len(states[0]), len(payoffs)
    mixed = chain * (n - 1) / n
    for i, state in enumerate(states):
        fit = [sum(payoffs[state[x], state[y]] for y in range(n) if y != x) for x in range(n)]
        for parent in range(n):
            for child in range(k):
                likely = 1 - mutation if child == state[parent] else mutation / (k - 1)
                after = (*state[:parent], child, *state[parent + 1 :])
                mixed[i, states.index(after)] += fit[parent] / sum(fit) / n * likely
    return mixed


def test_without_selection_any_type_takes_over_with_its_share() -> None:
    matrix = PayoffMatrix(("a", "b", "c"), np.arange(9.0).reshape(3, 3))
    for edges in (None, lattice(9, 4)):
        runs = simulated(
            matrix=matrix, n=9, start={"a": 2, "b": 3, "c": 4}, process=Process("death-birth", intensity=0), edges=edges
        )
        for name, count in {"a": 2, "b": 3, "c": 4}.items():
            assert abs(runs.taken_over()[name] / 4000 - count / 9) < four_errors(count / 9, 4000)


def on_a_cycle(benefit: float, n: int, w: float) -> float:
    """Chance that one cooperator takes over a cycle by death-birth, exactly: cooperators always stand together.

    Ohtsuki & Nowak 2006 (Proc R Soc B 273:2249). Helping a neighbour costs 1.
    """
    points = np.array([[benefit - 1, -1], [benefit, 0]])
    log_hill, total, sums = 0.0, 1.0, 0.0
    for block in range(1, n):
        types = [0] * block + [1] * (n - block)
        earned = [(points[types[x], types[x - 1]] + points[types[x], types[(x + 1) % n]]) / 2 for x in range(n)]
        fit = [1 - w + w * e for e in earned]
        change = [0.0, 0.0]
        for dead in range(n):
            near = [(dead - 1) % n, (dead + 1) % n]
            for parent in near:
                if types[parent] != types[dead]:
                    change[types[parent]] += fit[parent] / (fit[near[0]] + fit[near[1]])
        log_hill += np.log(change[1] / change[0])
        sums += np.exp(log_hill)
    return float(total / (1 + sums))


def test_on_a_cycle_cooperation_is_favoured_where_benefits_are_twice_the_costs() -> None:
    """Ohtsuki, Hauert, Lieberman & Nowak 2006 (Nature 441:502): b/c > k = 2; among n, (n - 2) / (n / 2 - 2) after
    Taylor, Day & Wild 2007 (Nature 447:469)."""
    w = 1e-5
    for n in (8, 20, 100):
        critical = (n - 2) / (n / 2 - 2)
        assert on_a_cycle(critical * 1.01, n, w) > 1 / n > on_a_cycle(critical * 0.99, n, w)
    assert critical == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(("rule", "spreads"), [("death-birth", True), ("birth-death", False)])
def test_death_birth_updating_favours_cooperation_on_a_cycle(rule: str, spreads: bool) -> None:
    """Where benefits are eight times the costs; under birth-death no benefit is enough (the same paper)."""
    points = np.array([[7.0, -1], [8, 0]])
    process = Process(rule, "linear", 0.1)
    runs = simulated(
        matrix=PayoffMatrix(("C", "D"), points), n=12, start={"C": 1}, edges=ring(12, 2), process=process, runs=6000
    )
    rate = (runs.winners == 0).mean()
    if spreads:
        expected = on_a_cycle(8, 12, 0.1)
        assert expected > 1.2 / 12
        assert abs(rate - expected) < four_errors(expected, 6000)
    else:
        assert rate + four_errors(rate, 6000) < 1 / 12


@pytest.mark.parametrize("edges", [None, ring(10, 4)])
@pytest.mark.parametrize("rule", RULES)
def test_a_run_does_not_depend_on_other_runs_or_the_order_of_strategies(rule: str, edges) -> None:
    payoffs = np.random.default_rng(3).uniform(0, 5, (4, 4))
    names, order = ("d", "b", "a", "c"), [2, 0, 3, 1]
    other = PayoffMatrix(tuple(names[i] for i in order), payoffs[np.ix_(order, order)])
    start = {"d": 1, "b": 2, "a": 3, "c": 4}
    settings = {"n": 10, "start": start, "edges": edges, "mutation": 0.01, "steps": 500, "every": 7}
    settings["process"] = Process(rule)
    many = simulated(matrix=PayoffMatrix(names, payoffs), runs=30, **settings)
    few = simulated(matrix=other, runs=3, **settings)
    assert many.times.tolist() == few.times.tolist() == [*range(0, 500, 7), 500]
    assert (many.counts[:, :3][..., order] == few.counts).all()
    assert (many.counts.sum(axis=-1) == 10).all()
    again = simulated(matrix=other, runs=3, seed=2, **settings)
    assert (again.counts != few.counts).any()


def test_a_run_that_has_ended_stays_as_it_is() -> None:
    runs = simulated(runs=50, every=1)
    for run in range(50):
        counts = runs.counts[:, run]
        taken = (counts.max(axis=1) == 5).argmax()
        assert taken == runs.steps[run]
        assert (counts[taken:] == counts[-1]).all()
        assert counts[-1].argmax() == runs.winners[run]
    assert sum(runs.taken_over().values()) == 50
    assert simulated(runs=2, start={"C": 5}).steps.tolist() == [0, 0]


def test_a_stopped_run_has_no_winner() -> None:
    runs = simulated(n=1000, start={"C": 500}, runs=2, steps=10)
    assert runs.winners.tolist() == [-1, -1]
    assert runs.steps.tolist() == [10, 10]
    assert runs.times.tolist() == [0, 10]


def test_unnamed_strategies_have_equal_numbers() -> None:
    matrix = PayoffMatrix(("c", "a", "b"), np.ones((3, 3)))
    assert start_counts(matrix, 10) == {"a": 4, "b": 3, "c": 3}
    assert start_counts(matrix, 10, {"b": 5}) == {"a": 3, "b": 5, "c": 2}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: start_counts(MATRIX, 1), "population = 1; needs"),
        (lambda: start_counts(MATRIX, 5, {"C": 6}), "the population is 5"),
        (lambda: start_counts(MATRIX, 5, {"C": 1, "D": 1}), "sum to 2"),
        (lambda: start_counts(MATRIX, 5, {"C": -1}), "C = -1"),
        (lambda: start_counts(MATRIX, 5, {"E": 1}), "unknown player 'E'"),
        (lambda: simulated(mutation=-0.1), "mutation = -0.1"),
        (lambda: simulated(steps=0), "steps = 0"),
        (lambda: simulated(runs=0), "runs = 0"),
        (lambda: simulated(every=0), "every = 0"),
        (lambda: simulated(steps=2.5), "steps = 2.5; needs a whole number"),
        (lambda: start_counts(MATRIX, 5, {"C": 0.5}), "C = 0.5; needs a whole number"),
        (lambda: start_counts(MATRIX, 5, {"C": True}), "C = True; needs a whole number"),
        (lambda: simulated(edges=((0, 1), (1, 2), (2, 3))), "player 4 of the graph has no neighbour"),
        (
            lambda: simulated(matrix=PayoffMatrix(("C", "D"), PAYOFFS - 2)),
            "or an intensity of at most",
        ),
    ],
)
def test_invalid_arguments_are_refused(wrong, message: str) -> None:
    with pytest.raises(InputError, match=message):
        wrong()
