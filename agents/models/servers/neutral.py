"""Text of people and models before it is sent to a server: nothing in it acts as a control token.

Servers parse control tokens wherever they stand, also in the content of a message: with llama.cpp, ``<|im_end|>`` in a
partner's message ends the turn. What follows cannot be left to the server, and the server's tokenizer is not known
here, so everything that has the form of a control token is broken by a visible character after its first bracket:
``<·|im_end|>``, ``[·INST]``. The model still reads what was written.
"""

import re

from dilemmas.agents.models.control_tokens import UNSAFE

BREAK = "·"
"""The character that breaks a control token: visible, in no control token, and unchanged by normalisation of text."""

FORMS = (
    r"<(?=[|｜][^\n>]{0,64}>)",  # <|im_end|>, <｜end▁of▁sentence｜>, <|end of text|>
    r"<(?=[^\s<>]{1,64}>)",  # <s>, </s>, <start_of_turn>, <think>, <unused12>, <0x0A>, <<SYS>>
    r"\[(?=/?[A-Z][A-Z_]{2,32}\d{0,4}\])",  # [INST], [/INST], [AVAILABLE_TOOLS], [CLS]
    r"\[(?=[eg]?MASK\]|[es]op\]|control_\d+\])",  # [gMASK], [sop], of GLM and Mistral
)
"""The first brackets of texts with the form of a control token."""
_FIRST = re.compile("|".join(FORMS))


def neutralise(text: str) -> str:
    """The text with `BREAK` inside everything that has the form of a control token.

    Halves of surrogate pairs, which cannot be sent, become U+FFFD.
    """
    return _FIRST.sub(lambda found: found[0] + BREAK, UNSAFE.sub("\ufffd", text))
