"""Tags around what a model thinks before it answers, in chat templates and in replies: ``<think>``, ``[THINK]``."""

import re

TAG_OF_THOUGHTS = re.compile(
    r"(?:[<◁]|\[(?=/)|(?<![\w\])])\[)(/?)"  # no index of a list, as the code of chat templates has: messages[thinking]
    r"[\w:]{0,24}(?:think|thought|reason|reflect|analysis|scratchpad)\w{0,24}[>\]▷]",
    re.IGNORECASE,
)
"""A tag that opens or closes thoughts; the first group is a slash where it closes them."""
MORE_ROOM = (
    "use a template that gives the model room for thoughts (--template reason; decision.tokens in a template of your"
    " own), or allow longer answers (prompting.max_tokens and prompting.answer_tokens in a recipe, max_tokens of"
    " LanguageModelAgent in Python)"
)
"""What to do about replies that are cut within thoughts."""


def tag_pair(text: str) -> tuple[str, str] | None:
    """The opening and the closing form of the last tag of thoughts in a text; None if there is no tag."""
    tags = list(TAG_OF_THOUGHTS.finditer(text))
    if not tags:
        return None
    opening = tags[-1][0].replace("/", "", 1)
    return opening, f"{opening[0]}/{opening[1:]}"


def split_thoughts(text: str) -> tuple[str, str]:
    """The thoughts in a text, and the text without them.

    Thoughts end with the last closing tag and begin with the first opening tag, or at the beginning of the text without
    one. Without a closing tag there are none.
    """
    tags = list(TAG_OF_THOUGHTS.finditer(text))
    end = next((tag for tag in reversed(tags) if tag[1]), None)
    if end is None:
        return "", text.strip()
    begin = next((tag for tag in tags if not tag[1] and tag.end() <= end.start()), None)
    before, thoughts = (text[: begin.start()], text[begin.end() : end.start()]) if begin else ("", text[: end.start()])
    return thoughts.strip(), f"{before}{text[end.end() :]}".strip()


def unfinished_thoughts(text: str) -> bool:
    """Whether a text is nothing but thoughts that do not end."""
    tags = list(TAG_OF_THOUGHTS.finditer(text))
    return bool(tags) and not tags[-1][1] and not without_thoughts(text).strip()


def without_thoughts(text: str) -> str:
    """The text outside of thoughts; a thought without a beginning begins with the text, one without an end ends it."""
    kept: list[str] = []
    start, inside = 0, False
    for tag in TAG_OF_THOUGHTS.finditer(text):
        if tag[1]:
            if not inside:
                kept.clear()
            start, inside = tag.end(), False
        elif not inside:
            kept.append(text[start : tag.start()])
            inside = True
    return "\n".join(kept if inside else [*kept, text[start:]])
