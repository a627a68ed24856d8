"""Strategies for groups, which depend on how many of the others cooperated in the last round.

In games with amounts or levels they contribute everything or nothing; partial contributions of people in experiments
are represented by probabilities. Strategies for two also play in groups (`Automaton.for_players`): Tit for Tat then
cooperates if at least half of the others did.
"""

from collections.abc import Callable
from math import ceil

from dilemmas.agents.strategies.bibliography import BOYD, FEHR, FISCHBACHER, FRIEDMAN
from dilemmas.agents.strategies.entry import Family, GroupEntry
from dilemmas.agents.strategies.finite_state import Automaton, StrategyError

Rule = Callable[[bool, int], float]
"""Probability of cooperation from whether the player itself cooperated in the last round and how many others did."""


def by_count(name: str, players: int, first: float, rule: Rule, punishes: bool = False) -> Automaton:
    """A strategy that depends on the last round.

    Parameters
    ----------
    name
        Name in tables and records.
    players
        Number of players.
    first
        Probability of cooperation in the first round.
    rule
        Probability of cooperation in later rounds.
    punishes
        Whether it punishes every defector, in games with a punishment stage.
    """
    others = players - 1
    chances = [float(rule(own == 0, others - defected)) for own in range(2) for defected in range(players)]
    states = tuple(dict.fromkeys((float(first), *chances)))
    row = tuple(states.index(chance) for chance in chances)
    return Automaton(name, states, (row,) * len(states), players, punishes)


def conditional_cooperator(name: str, players: int) -> Automaton:
    """Cooperates with a probability equal to the share of the others who did: the diagonal of a contribution table."""
    return by_count(name, players, 1, lambda _, others: others / (players - 1))


def hump_shaped(name: str, players: int) -> Automaton:
    """Cooperates with the share of the others who cooperated or who defected, whichever is smaller."""
    return by_count(name, players, 0.5, lambda _, others: min(others, players - 1 - others) / (players - 1))


def threshold_cooperator(name: str, threshold: int, players: int) -> Automaton:
    """Cooperates first, then if at least `threshold` of the others did, which is from 0 to players - 1."""
    if threshold not in range(players):
        raise StrategyError(
            f"strategy '{name}': threshold = {threshold:g}; must be a whole number from 0 to {players - 1}"
        )
    return by_count(name, players, 1, lambda _, others: others >= threshold)


def majority_cooperator(name: str, players: int) -> Automaton:
    """Cooperates if at least half of the others did: Tit for Tat against the majority."""
    return threshold_cooperator(name, ceil((players - 1) / 2), players)


def all_cooperator(name: str, players: int) -> Automaton:
    """Cooperates if all the others did."""
    return threshold_cooperator(name, players - 1, players)


def any_cooperator(name: str, players: int) -> Automaton:
    """Cooperates if at least one of the others did."""
    return threshold_cooperator(name, 1, players)


def volunteer(name: str, players: int) -> Automaton:
    """Cooperates if none of the others did, and in the first round."""
    return by_count(name, players, 1, lambda _, others: others == 0)


def all_or_none(name: str, players: int) -> Automaton:
    """Cooperates if all players made the same move: Win-Stay Lose-Shift for groups."""
    return by_count(name, players, 1, lambda own, others: others == (players - 1 if own else 0))


def group_grim(name: str, players: int) -> Automaton:
    """Cooperates until any of the others defects, then defects forever."""
    betrayed = tuple(int(column % players > 0) for column in range(2 * players))
    return Automaton(name, (1.0, 0.0), (betrayed, (1,) * (2 * players)), players)


def punishing_cooperator(name: str, players: int) -> Automaton:
    """Cooperates in every round, and punishes every defector in games with a punishment stage."""
    return by_count(name, players, 1, lambda *_: 1, punishes=True)


def strong_reciprocator(name: str, players: int) -> Automaton:
    """Cooperates if at least half of the others did, and punishes every defector."""
    return by_count(name, players, 1, lambda _, others: 2 * others >= players - 1, punishes=True)


def punishing_free_rider(name: str, players: int) -> Automaton:
    """Defects in every round, and punishes every other defector."""
    return by_count(name, players, 0, lambda *_: 0, punishes=True)


GROUPS = (
    GroupEntry(
        "conditional_cooperator",
        "Cooperates first, then with a probability equal to the share of the others who cooperated.",
        conditional_cooperator,
        FISCHBACHER,
        ("perfect_conditional_cooperator",),
    ),
    GroupEntry(
        "hump_shaped",
        "Cooperates with probability 1/2 in round 1, then with the smaller share, C or D, of the others.",
        hump_shaped,
        FISCHBACHER,
        ("triangle_contributor",),
    ),
    GroupEntry(
        "majority_cooperator",
        "Cooperates first, then if at least half of the others cooperated in the last round.",
        majority_cooperator,
        BOYD,
        ("majority_tit_for_tat",),
    ),
    GroupEntry(
        "all_cooperator",
        "Cooperates first, then if all the others cooperated in the last round.",
        all_cooperator,
        BOYD,
        ("all_tit_for_tat", "hard_conditional_cooperator"),
    ),
    GroupEntry(
        "any_cooperator",
        "Cooperates first, then if at least one of the others cooperated in the last round.",
        any_cooperator,
        BOYD,
        ("any_tit_for_tat", "soft_conditional_cooperator"),
    ),
    GroupEntry(
        "volunteer",
        "Cooperates first, then if none of the others cooperated in the last round.",
        volunteer,
        "Diekmann 1985, J. Confl. Res. 29:605",
    ),
    GroupEntry(
        "all_or_none",
        "Cooperates first, then if all players made the same move in the last round.",
        all_or_none,
        "Pinheiro et al. 2014, PLoS Comput. Biol. 10:e1003945",
        ("aon_1",),
    ),
    GroupEntry(
        "group_grim",
        "Cooperates until any of the others defects, then defects forever.",
        group_grim,
        FRIEDMAN,
        ("all_grim",),
    ),
    GroupEntry(
        "punishing_cooperator",
        "Cooperates in every round, and punishes every defector.",
        punishing_cooperator,
        FEHR,
        ("altruistic_punisher",),
    ),
    GroupEntry(
        "strong_reciprocator",
        "Cooperates first, then if at least half of the others did, and punishes every defector.",
        strong_reciprocator,
        "Gintis 2000, J. Theor. Biol. 206:169",
    ),
    GroupEntry(
        "punishing_free_rider",
        "Defects in every round, and punishes every other defector.",
        punishing_free_rider,
        "Eldakar & Wilson 2008, PNAS 105:6982",
        ("selfish_punisher",),
    ),
)

GROUP_FAMILIES = (
    Family(
        "threshold_cooperator",
        "Cooperates first, then if the number of others who cooperated reached the threshold.",
        ("threshold",),
        threshold_cooperator,
        BOYD,
        groups=True,
    ),
)
