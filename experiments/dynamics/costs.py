"""What dynamics cost: a long computation is announced, and one that takes too long or too much memory is refused.

The seconds were measured on one core of a server and are meant to be right within a factor of three.
"""

from math import ceil

from dilemmas.experiments.dynamics.payoff_matrix import DynamicsError
from dilemmas.experiments.reporting.cost import check_duration

MOST_RECORDS = 10_000
"""Largest number of times at which shares are recorded."""
MOST_NUMBERS = 1 << 27
"""Largest number of numbers that a simulation holds: one gigabyte."""
MOST_COUNTS = 1 << 24
"""Largest number of counts of players over time that a simulation holds."""


def check_generations(generations: int, k: int) -> None:
    """Check the cost of iterating the shares of `k` strategies."""
    seconds = generations * (1e-5 + 2e-9 * k * k)
    check_duration(f"{generations:,} generations of {k} strategies", seconds, "take fewer --generations or --players")


def check_pairs(k: int, n: int) -> None:
    """Check the cost of the fixation probabilities of all pairs of `k` strategies among `n` players."""
    what = f"the fixation probabilities of {k} strategies among {n:,} players"
    check_duration(what, 1.5e-7 * k * k * n, "take a smaller --population or fewer --players")


def check_simulation(k: int, n: int, runs: int, generations: int, on_graph: bool) -> int:
    """Check the cost of a Moran process; returns the number of generations between records.

    Parameters
    ----------
    k, n, runs
        Number of strategies, players and runs.
    generations
        Largest number of generations, of `n` steps each.
    on_graph
        Whether players have neighbours.

    Raises
    ------
    DynamicsError, CostError
        If it takes too much memory, or too long.
    """
    what = f"{runs:,} runs of {n:,} players with {k} strategies"
    if runs * (n if on_graph else k * k) > MOST_NUMBERS:
        raise DynamicsError(f"{what} do not fit into memory; take fewer --runs or a smaller --population")
    per_run = 1e-6 + 2e-8 * n if on_graph else 3e-7 + 3e-9 * k * k
    seconds = generations * n * (5e-5 + runs * per_run)
    check_duration(f"{what} and up to {generations:,} generations", seconds, "take fewer --generations or --runs")
    return ceil(generations * max(1 / MOST_RECORDS, runs * k / MOST_COUNTS))
