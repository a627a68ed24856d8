"""What holds for replies of any form: wrappers, motivations and reversals."""

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dilemmas.agents.models.replies import read_action, read_amount, read_motivation

LABEL_SETS = [
    ("C", "D"),
    ("J", "F"),
    ("cooperate", "defect"),
    ("Stag", "Hare"),
    ("option A", "option B"),
    ("1", "2"),
    ("J", "K", "L"),
    ("20", "10", "0"),
]

CHOICES = [
    "{mine}",
    "{mine}.",
    "I choose {mine}.",
    "I'd choose {mine}",
    "I will go with {mine}.",
    "My choice is {mine}.",
    "My final answer: {mine}",
    "Answer: {mine}",
    "So I choose {mine}.",
    "{mine} is my choice.",
    "Let us think. They may do anything, and we meet again. Therefore, I choose {mine}.",
]

WRAPPERS = [
    "{text}",
    "**{text}**",
    "*{text}*",
    "`{text}`",
    "```\n{text}\n```",
    "“{text}”",
    "«{text}»",
    "„{text}“",
    "「{text}」",
    "> {text}",
    "- {text}",
    "# {text}",
    "\n\n  {text}\n\n",
    "<answer>{text}</answer>",
    "<think>Hm, this or that.</think>\n{text}",
    "Hm, this or that.</think>\n{text}",
    "{text}<|im_end|>",
    '{{"answer": "{text}"}}',
    '```json\n{{"reasoning": "We meet again.", "choice": "{text}"}}\n```',
    "\\boxed{{{text}}}",
    "\\boxed{{\\text{{{text}}}}}",
]

MOTIVATIONS = [
    "They will choose {theirs}.",
    "I expect them to choose {theirs}.",
    "My partner chose {theirs} last time.",
    "The other player will probably choose {theirs}, but that is their affair.",
    "If they choose {theirs}, I still gain.",
    "Because they choose {theirs}, this is best for me.",
    "I think that they choose {theirs}.",
    "They said: {theirs}.",
    "You choose {theirs}, they choose {theirs}: you get 3.",
    "What if they choose {theirs}?",
]

REVERSALS = [
    "No, {other}.",
    "Sorry, {other}.",
    "Wait, {other}!",
    "Actually, I choose {other}.",
    "However, on reflection {other} is better.",
    "However, on reflection {other} is better, so my final answer is {other}.",
    "But my final answer is {other}.",
    "Or {other}.",
    "Or maybe {other}.",
    "I do not choose {mine}.",
    "I take it back.",
    "Never mind.",
    "Never!",
    "Wrong!",
    "Just kidding.",
    "But I would never do that.",
    "I won't choose it.",
    "I changed my mind: I choose {other}.",
    "I choose {other}.",
    "{other}",
]

labels_and_place = st.sampled_from(LABEL_SETS).flatmap(
    lambda labels: st.tuples(st.just(labels), st.permutations(labels))
)


@example((("1", "2"), ["1", "2"]), "{mine}.", ["```\n{text}\n```", "`{text}`"])
@example((("1", "2"), ["1", "2"]), "{mine}.", ["\n\n  {text}\n\n", "`{text}`"])
@example((("1", "2"), ["1", "2"]), "{mine}.", ["```\n{text}\n```", "“{text}”"])
@given(labels_and_place, st.sampled_from(CHOICES), st.lists(st.sampled_from(WRAPPERS), max_size=2))
def test_a_plain_choice_is_read_in_any_wrapper(
    case: tuple[tuple[str, ...], list[str]], choice: str, wrappers: list[str]
) -> None:
    labels, (mine, *_) = case
    text = choice.format(mine=mine)
    for wrapper in wrappers:
        text = wrapper.format(text=text)
    assert read_action(text, labels) == labels.index(mine), text


@given(
    labels_and_place,
    st.sampled_from(CHOICES),
    st.lists(st.sampled_from(MOTIVATIONS), max_size=3),
    st.sampled_from(" \n"),
)
def test_a_motivation_that_names_the_choice_of_others_changes_nothing(
    case: tuple[tuple[str, ...], list[str]], choice: str, motivations: list[str], between: str
) -> None:
    labels, (mine, theirs, *_) = case
    said = [choice.format(mine=mine).rstrip(".") + ".", *(text.format(theirs=theirs) for text in motivations)]
    assert read_action(between.join(said), labels) == labels.index(mine), said


@given(labels_and_place, st.sampled_from(CHOICES), st.sampled_from(REVERSALS), st.sampled_from(" \n"))
def test_a_choice_that_is_taken_back_is_never_read(
    case: tuple[tuple[str, ...], list[str]], choice: str, reversal: str, between: str
) -> None:
    labels, (mine, other, *_) = case
    text = choice.format(mine=mine).rstrip(".") + "." + between + reversal.format(mine=mine, other=other)
    assert read_action(text, labels) in (None, labels.index(other)), text


@given(st.integers(0, 40), st.sampled_from(CHOICES), st.sampled_from(WRAPPERS))
def test_an_amount_is_read_like_a_label(quarters: int, choice: str, wrapper: str) -> None:
    text = wrapper.format(text=choice.format(mine=f"{quarters / 4:g}"))
    assert read_amount(text, 10) == quarters / 4


PIECES = st.sampled_from(
    [*"CD \n.,:;-()'\"!?*_`<>{}[]\\/|&%$1a", "I ", "choose ", "not ", "if ", "<think>", "\ue000", "½"]
)


@given(
    st.one_of(st.text(), st.lists(PIECES).map("".join)),
    st.sampled_from([*LABEL_SETS, ("A", "I"), ("+", "-"), ("C",), ()]),
)
@example("", ())
def test_no_text_raises(text: str, labels: tuple[str, ...]) -> None:
    assert read_action(text, labels) in (None, *range(len(labels)))
    amount = read_amount(text, 10)
    assert amount is None or 0 <= amount <= 10
    read_motivation(text, "C")


@given(st.text(alphabet="".join(map(chr, [*range(32, 0x250), 0x4F60, 0x1F600])).replace("C", "").replace("c", "")))
def test_a_text_without_a_label_has_no_reading(text: str) -> None:
    assert read_action(text, ("C", "C2")) is None


REPEATED = [
    '"',
    "<",
    "<think>",
    "</a",
    "1",
    "1,",
    "1. ",
    "--",
    "...",
    "- ",
    "*",
    "_",
    "I choose ",
    "no, ",
    "well, ",
    "get ",
]
REPEATED += [
    "C ",
    "C, ",
    "C or ",
    "C\n",
    "if ",
    "ok no ",
    "answer : ",
    '{"a": "',
    "\\boxed{",
    "(C) ",
    "5 of ",
    "1-",
    "\n1. ",
    "-",
    "a-",
    "\n",
    "\r\n",
    "\\n",
    "\n- ",
    "never, ",
    "never. ",
    "I do it, ",
    "I won't. ",
    "they said, ",
    "please, ",
    "C !C ~C ",
    "```\n",
    " ",
    "about 5 ",
    "since we are ",
    "since we are so ",
    "if I were to ",
    "if I were a player ",
    "our company ",
    "I would lean ",
    "so we ",
    "go for ",
    "C is better, so ",
    "C: cooperate ",
    "C is safe. ",
    "\nq: ",
    "\nYou are ?",
    ')*"',
]


@pytest.mark.parametrize("piece", REPEATED)
def test_time_is_linear_in_the_length_of_a_reply(piece: str) -> None:
    def seconds(read: Callable[[str], object], length: int) -> float:
        text = f"I choose{(piece * length)[:length]} C"
        start = time.process_time()
        read(text)
        return time.process_time() - start

    for read in (
        lambda text: read_action(text, ("C", "D")),
        lambda text: read_amount(text, 10),
        lambda text: read_motivation(f"C. {text[:-2]}", "C"),
    ):
        short = min(seconds(read, 1_000) for _ in range(5))
        # 64 times as long if it were quadratic; five attempts, because other processes disturb some of them
        assert any(seconds(read, 8_000) < 24 * short + 0.02 for _ in range(5))


def test_labels_and_amounts_without_end_are_no_error() -> None:
    long = "9" * 5000
    assert read_action(f"I choose {long}.", (long, "1")) == 0
    assert read_amount(f"I give {long}.", 20) is None
