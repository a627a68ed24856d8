"""Means over rounds, not over matches."""

import numpy as np

from dilemmas.experiments.study.metrics.matches import match_row


def test_match_row_counts_rounds_and_not_matches() -> None:
    """Two matches, of three rounds and of one: four rounds, of which two are cooperative."""
    nan = np.nan
    cooperation = np.array([[1, 0, 0], [1, nan, nan]])
    payoff = np.array([[3.0, 5, 1], [3, nan, nan]])
    row = match_row("teacher", "tit_for_tat", "g", cooperation, payoff, payoff, ["c", "c"])
    assert (row.cooperation.value, row.payoff.value, row.rounds, row.matches) == (0.5, 3.0, 2.0, 2)
    assert row.cooperation_by_round == (1.0, 0.0, 0.0)
