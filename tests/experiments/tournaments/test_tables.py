"""Notes of the ranking: against whom a score is, and what a rerun of 1980 is."""

import pytest

from dilemmas.agents.strategies.catalogue import FIRST_TOURNAMENT
from dilemmas.experiments.tournaments.run_folder import described, play_tournament, tournament_data
from dilemmas.experiments.tournaments.tables import ranking_table
from dilemmas.experiments.tournaments.tournament import Settings, Tournament


def note(agents: tuple[str, ...], **settings: object) -> str:
    tournament = Tournament(Settings("prisoners_dilemma", agents, {"rounds": 20}, repetitions=2, **settings))  # type: ignore[arg-type]
    return ranking_table(tournament_data(described(tournament), play_tournament(tournament))).note


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "opponents drawn at random, itself included"),
        ({"self_play": False}, "opponents drawn at random, itself not included"),
        ({"sample": 4}, "opponents drawn at random, itself was not drawn"),
        ({"graph": "ring"}, "the opponents that it met, itself not included"),
        ({"meetings": (("tft", "tft"), ("alld", "allc"))}, "the opponents that it met, itself included"),
    ],
)
def test_the_ranking_says_whether_self_play_counts(settings: dict[str, object], said: str) -> None:
    assert said in note(("tft", "alld", "allc"), **settings)


def test_a_rerun_of_1980_says_why_another_strategy_wins() -> None:
    assert "In 1980 tit_for_tat won" in note(FIRST_TOURNAMENT)
    assert "1980" not in note(FIRST_TOURNAMENT[:5])
