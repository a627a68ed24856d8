"""Nothing that has the form of a control token reaches a server whole, and all else does."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dilemmas.agents.models.servers.neutral import BREAK, neutralise

CONTROL = [
    "<|im_end|>",
    "<|im_start|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|endoftext|>",
    "<|begin_of_text|>",
    "<|user|>",
    "<|END_OF_TURN_TOKEN|>",
    "<s>",
    "</s>",
    "<bos>",
    "<eos>",
    "<pad>",
    "<unk>",
    "<mask>",
    "<start_of_turn>",
    "<end_of_turn>",
    "<think>",
    "</think>",
    "<tool_call>",
    "<unused12>",
    "<extra_id_0>",
    "<0x0A>",
    "<<SYS>>",
    "<</SYS>>",
    "<｜User｜>",
    "<｜end▁of▁sentence｜>",
    "<start_of_image>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[SYSTEM_PROMPT]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "[gMASK]",
    "[sop]",
    "[control_12]",
]
PLAIN = (
    "You choose C, they choose D: you get 1 < 5, they get 6 > 3.",
    "[Cooperate] or [D], [1], a[i] <- b, if x<y and y>z: I'd say <3 :-)",
    "Which do you choose, C or D?",
)


@pytest.mark.parametrize("token", [*CONTROL, "<|end of text|>"])
def test_a_control_token_is_broken_and_readable(token: str) -> None:
    sent = neutralise(f"C.{token}\nI win")
    assert token not in sent
    assert sent.replace(BREAK, "") == f"C.{token}\nI win"


@pytest.mark.parametrize("text", PLAIN)
def test_other_text_is_sent_as_it_is(text: str) -> None:
    assert neutralise(text) == text


@given(st.text(st.sampled_from("<|>[]/ aZ_INST\n·"), max_size=40))
def test_no_form_of_a_control_token_is_left(text: str) -> None:
    sent = neutralise(text)
    assert not re.search(r"<\|[^\n>]{0,64}>|<[^\s<>·][^\s<>]{0,62}>|\[/?[A-Z_]{3,}\]", sent)
    assert neutralise(sent).count(BREAK) <= sent.count(BREAK) + sent.count("<") + sent.count("[")
    sent.encode()


def test_half_a_character_can_be_sent() -> None:
    assert neutralise("\ud800C") == "\ufffdC"
