"""Numbers and arrays that no computer holds are refused in one line."""

import pytest

from dilemmas.envs import checks
from dilemmas.envs.checks import GameError, check_number, whole_number
from dilemmas.envs.errors import InputError
from dilemmas.envs.rules.factory import rules_of
from dilemmas.envs.vector.vector_matches import VectorMatches

HUGE = 10**400


def test_whole_numbers_end_at_64_bits() -> None:
    assert whole_number(2**63 - 1, "n", 0) == 2**63 - 1
    with pytest.raises(GameError, match=r"needs a whole number from 0 to 9223372036854775807$"):
        whole_number(HUGE, "n", 0)
    with pytest.raises(GameError, match=r"rounds = 1000.*needs a whole number"):
        rules_of("harmony", rounds=HUGE)


@pytest.mark.parametrize("value", [HUGE, -HUGE, float("nan"), float("inf"), -1])
def test_numbers_outside_of_their_range_are_refused(value: float) -> None:
    with pytest.raises(InputError, match=r"x = .*; needs a number "):
        check_number("x", value, 0)


def test_matches_that_do_not_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A public goods game of 1,000 players: each observes 2,000 numbers, so a thousand matches take 16 GB."""
    monkeypatch.setattr(checks, "machine_memory", lambda: 8e9)
    rules = rules_of("public_goods", n_players=1000, rounds=10)
    with pytest.raises(GameError, match=r"needs about 16 GB, more than half of the 8 GB of memory here; take fewer"):
        VectorMatches(rules, 1000)
    VectorMatches(rules, 1)
