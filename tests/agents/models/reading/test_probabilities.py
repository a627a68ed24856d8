"""Stated probabilities: a corpus of replies, and what holds for any reply."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.agents.models.reading.probabilities import read_probabilities

CORPUS = tomllib.loads(Path(__file__).with_name("probabilities.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("reply", "share"), CORPUS["readable"].items())
def test_a_stated_mixed_strategy_is_read(reply: str, share: float) -> None:
    assert read_probabilities(reply, ("J", "F")) == pytest.approx((share, 1 - share))


@pytest.mark.parametrize("reply", CORPUS["unreadable"]["replies"])
def test_a_reply_without_one_clear_mixed_strategy_is_unreadable(reply: str) -> None:
    assert read_probabilities(reply, ("J", "F")) is None


@pytest.mark.parametrize(
    ("reply", "shares"),
    [
        ("J 50%, K 30%, L 20%", (0.5, 0.3, 0.2)),
        ("J 50%, K 30%", (0.5, 0.3, 0.2)),
        ("J 33%, K 33%, L 33%", (1 / 3, 1 / 3, 1 / 3)),
        ("always K", (0.0, 1.0, 0.0)),
        ("All are equally likely.", (1 / 3, 1 / 3, 1 / 3)),
        ("J 50%", None),  # the rest may be K or L
        ("J and K are equally likely.", None),
    ],
)
def test_among_three_options_only_one_may_be_left_out(reply: str, shares: tuple[float, ...] | None) -> None:
    found = read_probabilities(reply, ("J", "K", "L"))
    assert found == (None if shares is None else pytest.approx(shares))


@pytest.mark.parametrize("labels", [("left", "right"), ("red", "blue"), ("C", "D"), ("cooperate", "defect")])
def test_labels_may_be_words(labels: tuple[str, str]) -> None:
    first, second = labels
    assert read_probabilities(f"{first.title()} with 80%, {second} with 20%.", labels) == pytest.approx((0.8, 0.2))


@given(st.integers(0, 100))
def test_every_percentage_is_read_in_either_order(percent: int) -> None:
    expected = pytest.approx((percent / 100, 1 - percent / 100))
    assert read_probabilities(f"J: {percent}%, F: {100 - percent}%", ("J", "F")) == expected
    assert read_probabilities(f"I choose F with {100 - percent}% and J with {percent}%.", ("J", "F")) == expected


@given(st.text(alphabet="JF0123456789%/.,-: \nandor", max_size=40))
def test_whatever_is_read_is_a_distribution(reply: str) -> None:
    found = read_probabilities(reply, ("J", "F"))
    assert found is None or (min(found) >= 0 and sum(found) == pytest.approx(1))


@pytest.mark.parametrize(
    "template", ["J {0}/{0}", "J 1/{0}, F {0}/1", "J {0}%", "J: {0}, F: {0}", "J {0} of {0}", "J .{0}"]
)
def test_numbers_without_end_are_no_error(template: str) -> None:
    found = read_probabilities(template.format("9" * 5000), ("J", "F"))
    assert found is None or (min(found) >= 0 and sum(found) == pytest.approx(1))
