"""A tournament says what it costs before it starts."""

import pytest

from dilemmas.envs.rules.factory import rules_of
from dilemmas.experiments.reporting.cost import CostError
from dilemmas.experiments.tournaments.costs import check_matches, check_playing
from dilemmas.experiments.tournaments.tournament import Settings, Tournament, TournamentError


def test_matches_that_do_not_fit_into_memory_are_refused() -> None:
    check_matches({"cycle": 10, "compiled": 2}, 10_000_000, 2)
    with pytest.raises(TournamentError, match="30,000,000 sampled matches; at most 20,000,000: take fewer repetitions"):
        check_matches({"compiled": 3}, 10_000_000, 2)
    settings = Settings("prisoners_dilemma", ("tft", "alld"), {"rounds": 9, "noise": 0.1}, 10**10, engine="compiled")
    with pytest.raises(TournamentError, match="30,000,000,000 sampled matches"):
        _ = Tournament(settings).fixtures
    many = Settings("public_goods", ("allc", "alld", "majority_cooperator"), {"rounds": 2, "n_players": 200})
    with pytest.raises(TournamentError, match=r"20,301 groups of 200 players .* or --sample 249 of the groups"):
        _ = Tournament(many).fixtures


def test_a_long_tournament_is_announced_and_an_endless_one_refused(capsys: pytest.CaptureFixture[str]) -> None:
    usual = rules_of("prisoners_dilemma", rounds=200)
    check_playing(usual, {"compiled": 1000, "cycle": 1000}, 100, workers=1)
    assert capsys.readouterr().err == ""
    check_playing(usual, {"environment": 1000}, 100, workers=1)
    announced = "100 matches of 200 rounds on average in each of 1,000 groups: this may take up to 67 min\n"
    assert capsys.readouterr().err == announced
    long = rules_of("prisoners_dilemma", rounds=None, continuation=1 - 1e-9)
    with pytest.raises(CostError, match=r"1,000,000,\d{3} rounds .*at most 7 days; take fewer rounds"):
        check_playing(long, {"compiled": 1000}, 1000, workers=2)
