"""What a report says about questions of fact, with answers that no server tells among them."""

from typing import Any

import pytest

from dilemmas.experiments.study.metrics.comprehension import COMPREHENSION, Comprehension, comprehension_table


def row(right: int, asked: int, unknown: int) -> dict[str, Any]:
    return {
        "model": "teacher",
        "kind": "payoff",
        "right": right,
        "asked": asked,
        "unknown": unknown,
        "chance": (asked - unknown) / 2,
        "interval": [0.0, 1.0],
    }


@pytest.mark.parametrize(
    ("right", "unknown", "share", "said"),
    [
        (10, 0, "1.00", []),
        (5, 0, "0.50", ["answers 5 of 10 questions"]),
        (6, 4, "1.00", ["no known answer to 4 of 10 questions"]),
        (3, 4, "0.50", ["no known answer to 4 of 10 questions", "answers 3 of 6 questions"]),
        (0, 10, "–", ["no known answer to 10 of 10 questions"]),
    ],
)
def test_what_is_not_known_is_counted_apart(right: int, unknown: int, share: str, said: list[str]) -> None:
    rows = [row(right, 10, unknown)]
    table = comprehension_table(rows)
    assert table.rows[0][1].split()[0] == share
    assert f"{10 - unknown} answers in total" in table.note
    found = list(COMPREHENSION.warnings({"comprehension": rows}))
    assert len(found) == len(said)
    assert all(words in text for words, text in zip(said, found, strict=True))


def test_no_more_are_right_than_are_known() -> None:
    assert Comprehension("teacher", "payoff", 6, 10, 3.0, (0.5, 1.0), 4).unknown == 4
    with pytest.raises(ValueError, match="at most asked without unknown, 6; got 7"):
        Comprehension("teacher", "payoff", 7, 10, 3.0, (0.5, 1.0), 4)
