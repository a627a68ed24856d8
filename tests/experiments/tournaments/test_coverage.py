"""Intervals of scores, ranks and payoffs of a tournament cover the truth in 90 to 99 of 100 repetitions."""

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest

from dilemmas.agents.roster import expanded
from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.reporting.uncertainty.intervals import t_critical
from dilemmas.experiments.tournaments.fixtures import Fixture, Row
from dilemmas.experiments.tournaments.run_folder import play_tournament
from dilemmas.experiments.tournaments.standings import Standings, standings
from dilemmas.experiments.tournaments.tournament import Settings, Tournament


def nominal(share: float) -> bool:
    return 0.90 <= share <= 0.99


def group_row(group: tuple[str, str], points: np.ndarray) -> Row:
    matches = len(points)
    zeros = np.zeros((matches, 2)), np.zeros((2, 5, 2)), np.zeros((2, 4))
    return Row(Fixture(group, "vectorised", 0, matches), np.full(matches, 10.0), points * 10, *zeros)


def played_tournament(rng: np.random.Generator, means: np.ndarray, matches: int) -> Standings:
    names = tuple(f"p{i:02d}" for i in range(len(means)))
    rows = []
    for pair in combinations_with_replacement(range(len(means)), 2):
        points = means[list(pair)] + rng.normal(0, 0.3, (matches, 2))
        rows.append(group_row((names[pair[0]], names[pair[1]]), points))
    return standings(names, rows)


@pytest.mark.parametrize(("players", "matches", "step"), [(2, 2, 0.1), (3, 10, 0.02), (8, 5, 0.01), (8, 10, 0.1)])
def test_scores_and_ranks_of_a_tournament(players: int, matches: int, step: float) -> None:
    """Scores of all players; ranks of players who differ clearly hardly vary, and are covered more often."""
    means = 3 - step * np.arange(players)
    scores, ranks = [], []
    for run in range(200):
        for one in played_tournament(np.random.default_rng(run), means, matches).ranking:
            assert one.interval
            assert one.ranks
            place = int(one.player[1:])
            scores.append(one.interval[0] <= means[place] <= one.interval[1])
            ranks.append(one.ranks[0] <= place + 1 <= one.ranks[1])
    assert nominal(float(np.mean(scores)))
    assert np.mean(ranks) >= 0.95


@pytest.mark.parametrize(("players", "matches"), [(2, 10), (3, 5), (8, 5), (8, 10)])
def test_ranks_of_all_players_at_once(players: int, matches: int) -> None:
    """Where players differ by next to nothing, so that chance can bring them into any order."""
    means = 3 - 1e-6 * np.arange(players)
    held = []
    for run in range(200):
        ranking = played_tournament(np.random.default_rng(run), means, matches).ranking
        held.append(all(one.ranks and one.ranks[0] <= int(one.player[1:]) + 1 <= one.ranks[1] for one in ranking))
    assert nominal(float(np.mean(held)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("game", "agents", "options", "sample", "runs"),
    [
        ("public_goods", ("allc", "alld", "random"), {"n_players": 10, "rounds": 2}, 6, 200),
        ("prisoners_dilemma", ("@automata",), {"rounds": 5}, 500, 40),
        pytest.param("prisoners_dilemma", ("@automata",), {"rounds": 20}, 500, 100, marks=pytest.mark.slow),
        pytest.param("prisoners_dilemma", ("@automata",), {"rounds": 20}, 800, 100, marks=pytest.mark.slow),
    ],
)
def test_scores_where_groups_are_drawn(
    game: str, agents: tuple[str, ...], options: dict[str, int], sample: int, runs: int
) -> None:
    """The score against opponents drawn at random is that of a tournament of all groups."""
    specs = expanded(agents, rules_of(game, **options).stage)[0][:40]
    settings = Settings(game, specs, options, repetitions=200)
    truth = {one.player: one.score for one in play_tournament(Tournament(settings)).ranking}
    held = []
    for seed in range(runs):
        drawn = Tournament(replace(settings, repetitions=3, sample=sample, seed=seed))
        shown = {one.player: one.interval for one in play_tournament(drawn).ranking if one.interval is not None}
        held += [low <= truth[name] <= high for name, (low, high) in shown.items()]
    assert len(held) >= 200
    assert nominal(float(np.mean(held)))


@pytest.mark.parametrize("matches", [3, 5, 10])
def test_payoffs_of_a_pair(matches: int) -> None:
    held = []
    for run in range(200):
        found = played_tournament(np.random.default_rng([11, run]), np.array([3.0, 2.0]), matches)
        half = t_critical(matches - 1) * found.errors[0, 1]  # as `tables.matrix_table` shows it
        held.append(abs(found.payoffs[0, 1] - 3.0) <= half)
    assert nominal(float(np.mean(held)))
