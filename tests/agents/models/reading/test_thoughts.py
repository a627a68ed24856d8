"""Tags of thoughts mean the same in chat templates, in replies as they come, and where an action is read."""

import pytest

from dilemmas.agents.models.reading.thoughts import split_thoughts, tag_pair, without_thoughts
from dilemmas.agents.models.replies import read_action

TAGS = ("<think>", "<Thinking>", "<seed:think>", "<reasoning>", "<reflection>", "<analysis>", "<scratchpad>", "[THINK]")


@pytest.mark.parametrize("opening", [*TAGS, "◁think▷"])
def test_a_tag_is_known_everywhere(opening: str) -> None:
    closing = f"{opening[0]}/{opening[1:]}"
    reply = f"{opening}They choose D, so I choose D.{closing}I choose C."
    assert tag_pair(f"content.split('{closing}')[-1]") == tag_pair(f"'{opening}'") == (opening, closing)
    assert split_thoughts(reply) == ("They choose D, so I choose D.", "I choose C.")
    assert read_action(reply, ("C", "D")) == 0
    assert split_thoughts(reply.removeprefix(opening)) == split_thoughts(reply)


def test_thoughts_that_do_not_end() -> None:
    """They are no thoughts of a record, which keeps all that was written, and nothing is read from them."""
    assert split_thoughts(" <think>I choose C.") == ("", "<think>I choose C.")
    assert without_thoughts("D. <think>I choose C.") == "D. "
    assert split_thoughts("<b>a</think><think>b") == ("<b>a", "<think>b")


def test_an_index_in_the_code_of_a_template_is_no_tag() -> None:
    assert tag_pair("{% if messages[thinking] or f(x)[reason] or names[0][thought] %}[INST]{% endif %}") is None
