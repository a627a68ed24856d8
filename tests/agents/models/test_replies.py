"""What a reply says is read; what it does not plainly say is unreadable. The traps are those that other tools fall
into."""

import time

import pytest

from dilemmas.agents.models.replies import read_action, read_motivation

LETTERS = ("C", "D")
WORDS = ("Cooperate", "Defect")
AMOUNTS = ("20", "13.33", "6.67", "0")


@pytest.mark.parametrize(
    "text", ["C", " C.", "c", '"C"', "[C]", "(C)", "**C**", "- C", "`C`!", "### C", "“C”, I trust them."]
)
def test_a_label_alone_is_a_choice_whatever_surrounds_it(text: str) -> None:
    assert read_action(text, LETTERS) == 0


@pytest.mark.parametrize(
    "text",
    [
        "I choose D.",
        "I would choose [D] because they are rivals and C is weak.",
        "I'll go with D!",
        "My answer is D",
        "My final answer: **D**",
        "**Answer:** D",
        "Answer: D\nReason: C gives me less.",
        "So, I choose D.",
        "I choose option D",
        "D because if they choose C I get more",
        "D, since C pays less.",
        "D rather than C.",
        "D. They may choose C, so D is safer.",
        "D. If I choose C, I get less.",
        "D. I answer D with D.",
        "I choose D; C is too risky",
        "C. Wait, no. I choose D.",
    ],
)
def test_a_choice_may_be_announced_and_explained_with_the_other_label(text: str) -> None:
    assert read_action(text, LETTERS) == 1


def test_labels_may_be_verbs() -> None:
    assert [read_action(text, WORDS) for text in ("I will cooperate.", "I choose to defect", "Defect")] == [0, 1, 1]


def test_a_negated_label_is_not_chosen() -> None:
    assert read_action("I will not choose [Defect]; I pick [Cooperate]", WORDS) != 1
    for text in ("I will not choose Defect", "Not Defect", "Don't defect", "I would not defect", "Neither."):
        assert read_action(text, WORDS) is None


@pytest.mark.parametrize(
    "text",
    [
        "C or D, who knows",
        "C, D",
        "C/D",
        "C D",
        "C and D",
        "C: 6, D: 3",
        "C?",
        "C.D.",
        "C\nD",
        "C. D.",
        "Maybe C",
        "Either C or D",
        "D is tempting, but C.",
        "C if they do, else D",
        "C, if they do.",
        "C as long as they do",
    ],
)
def test_both_labels_a_hedge_or_a_change_of_mind_are_unreadable(text: str) -> None:
    assert read_action(text, LETTERS) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "[ERROR] model overloaded",  # TextArena: plays as a saint
        "As an AI language model, I cannot choose.",
        "Error: connection refused",
        "Chess is a game",
        "C's",
        "Cooperation is fine",
        "The question names C first",  # FAIRGAME: the first option named
        "If I choose C, they will choose D.",
    ],
)
def test_a_text_that_names_no_choice_is_unreadable(text: str) -> None:
    assert read_action(text, LETTERS) is None
    assert read_action(text, WORDS) is None


def test_numbers_are_read_whole() -> None:
    texts = ("20", "I contribute 13.33 points.", "I put 6.67 into the pot.", "0.", "0, because 20 is too much")
    assert [read_action(text, AMOUNTS) for text in texts] == [0, 1, 2, 3, 3]
    for text in ("200", "0.5", "-20", "20%", "2", "6", "20,000"):
        assert read_action(text, AMOUNTS) is None
    assert [read_action(text, ("1", "10")) for text in ("1", "10", "1.", "10 points")] == [0, 1, 0, 1]


def test_a_label_that_is_the_word_i() -> None:
    assert [read_action(text, ("J", "I")) for text in ("I choose J.", "I choose I.", "I", "I, J")] == [0, 1, 1, None]


def test_upper_and_lower_case_are_kept_apart_where_labels_differ_in_nothing_else() -> None:
    assert [read_action(text, ("a", "A")) for text in ("a", "A.")] == [0, 1]


def test_a_label_may_hold_its_own_brackets() -> None:
    assert read_action("[Cooperate]", ("[Cooperate]", "[Defect]")) == 0


def test_no_text_takes_long_to_refuse() -> None:
    start = time.process_time()
    for text in ('"' * 5000, " x" * 5000, "I choose " * 2000, "no, " * 3000 + "C"):
        read_action(f"a{text}", LETTERS)
        read_action(text, LETTERS)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("text", "motivation"),
    [
        (" C. We compete. I get more with C.", "We compete. I get more with C."),
        ("I choose C because I trust them.", "because I trust them."),
        ("**C**\n\n**Reason:** trust", "trust"),
        ("Answer: C\nWhy: fear.", "fear."),
        ("C", ""),
        ("[C] - it is fair", "it is fair"),
        ('{"answer": "C", "reason": "trust"}', "trust"),
        ("<think>D pays.</think>C. We meet again.", "We meet again."),
        ("We meet again. So I choose C.", "We meet again. So I choose C."),
        *(
            (text, "")
            for text in ('"I choose C."', "**I choose C.**", "C.**", "(C)", "“C”", '"C"!', "I choose C :)", "C 👍")
        ),
        *((text, "It is fair.") for text in ('"I choose C. It is fair."', "(C. It is fair.)", "**C. It is fair.**")),
        ('C. They call it "trust"', 'They call it "trust"'),
        ("C, as agreed (and kind)", "as agreed (and kind)"),
        ("C: it is **fair**", "it is **fair**"),
    ],
)
def test_the_motivation_is_the_text_besides_the_label(text: str, motivation: str) -> None:
    assert read_motivation(text, "C") == motivation
