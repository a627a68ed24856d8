"""What a tournament costs: a long one is announced, and one that takes too long or too much memory is refused.

The seconds were measured on one core of a server with strategies; language models are slower.
"""

from collections.abc import Mapping

from dilemmas.agents.engines.dispatch import EXACT
from dilemmas.agents.engines.horizons import mean_rounds
from dilemmas.envs.rules.repeated import Repeated
from dilemmas.experiments.reporting.cost import check_duration
from dilemmas.experiments.tournaments.settings import TournamentError

MOST_MATCHES = 20_000_000
"""Most sampled matches of a tournament, whose results are held in memory: some gigabytes."""
MOST_COUNTS = 40_000_000
"""Most counts of moves in the results of a tournament: some 90 bytes each while its tables are computed, 3.6 GB."""
ROUND_SECONDS = {"cycle": 0.0, "chain": 0.0, "compiled": 1e-8, "vectorised": 1e-7, "environment": 1e-4}
"""Approximate duration of a decision by engine, in seconds; that of exact engines hardly depends on rounds."""


def check_matches(engines: Mapping[str, int], repetitions: int, n_players: int) -> None:
    """`TournamentError` if there are too many sampled matches, or the results do not fit into memory.

    Parameters
    ----------
    engines
        Number of groups by engine.
    repetitions
        Sampled matches of each group.
    n_players
        Number of players of a match.
    """
    groups, counts = sum(engines.values()), n_players * (1 + 2 * n_players) * 2
    if groups * counts > MOST_COUNTS:
        raise TournamentError(
            f"{groups:,} groups of {n_players:,} players have {groups * counts:,} counts of moves; at most"
            f" {MOST_COUNTS:,}: take fewer agents, or --sample {MOST_COUNTS // counts:,} of the groups"
        )
    matches = repetitions * sum(count for engine, count in engines.items() if engine not in EXACT)
    if matches > MOST_MATCHES:
        raise TournamentError(
            f"{matches:,} sampled matches; at most {MOST_MATCHES:,}: take fewer repetitions or agents, or draw a sample"
        )


def check_playing(rules: Repeated, engines: Mapping[str, int], repetitions: int, workers: int) -> None:
    """Announce a long tournament; `CostError` for one of more than a week."""
    decisions = mean_rounds(rules) * rules.n_players * repetitions
    seconds = sum(ROUND_SECONDS[engine] * count * decisions for engine, count in engines.items())
    rounds = f"{mean_rounds(rules):,.0f} rounds on average"
    what = f"{repetitions:,} matches of {rounds} in each of {sum(engines.values()):,} groups"
    check_duration(what, seconds / workers, "take fewer rounds, repetitions or agents")
