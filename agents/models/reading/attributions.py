"""What makes an option that of somebody else, "they said", "please choose", or of another situation: "in real life"."""

from collections.abc import Sequence
from itertools import pairwise

from dilemmas.agents.models.reading.vocabulary import (
    ADVERBS,
    ANSWERS,
    ASKING,
    COPULAS,
    DETERMINERS,
    GUARDING,
    HERE,
    OTHERS,
    OWN_SIDE,
    PAST_VERBS,
    PEOPLE,
    PREPOSITIONS,
    REQUESTS,
    SPEECH,
    VERBS,
)

OF_OTHERS = OTHERS - OWN_SIDE | {"everyone", "everybody"}
"""Words for others than the writer."""

REPORTING = OTHERS | DETERMINERS | {"as", "me", "ever", "once", "always", "no"}
"""Words for who said something, and when."""

OWNED = ANSWERS - {"move", "play", "response", "reply"} | {"words", "idea", "plan", "theirs"}
"""Nouns for what is chosen that are said to be those of others; "your move" only ends a reply."""

OWNING = OTHERS | VERBS | SPEECH | REQUESTS | COPULAS | DETERMINERS | ANSWERS | OWNED
OWNING |= {"it", "which", "was", "what", "own", "in", "of", "at", "least", "like"}
"""Words of a clause that says whose choice something is."""

ADVISED = frozenset(["choose", "pick", "select", "go", "play", "take", "opt", "vote", "give", "contribute"])
"""Verbs of what the reader is asked to do; not "record" or "put", which are asked of a clerk."""

TOLD = frozenset(["told", "asked", "instructed", "advised", "ordered"])
"""What was done to a writer who answers as others want."""


def reports(words: Sequence[str]) -> bool:
    """Whether words say that what stands before them is what others say: "they said", "said nobody ever"."""
    if words[:2] == ["according", "to"]:
        return any(word in OF_OTHERS for word in words[2:])
    words = words[1:] if words[:1] == ["so"] else words
    speaker = [word for word in words if word not in SPEECH]
    if len(speaker) == len(words):
        return False
    named = len(speaker) == 2 and speaker[0] in ("my", "the")  # "said my brother"
    return named or (all(word in REPORTING for word in speaker) and any(word in OF_OTHERS for word in speaker))


def attributes(words: Sequence[str]) -> bool:
    """Whether words say that what stands before them is the choice of others: "that is what they chose"."""
    said = [word.removesuffix("'s") for word in words]
    if not all(word in OWNING and word not in ("a", "an") for word in said) or not any(
        word in OF_OTHERS for word in said
    ):
        return False
    if len(said) > 2 and (said[-1] in PAST_VERBS or (said[-1] in ("it", "that") and said[-2] in PAST_VERBS)):
        return said[-2] in OTHERS or said[-3] in OTHERS
    named = said[-1] in OWNED or ("of" in said and any(word in OWNED for word in said))
    return "what" in said or (named and not any(word in (VERBS - ANSWERS) | SPEECH for word in said))


def pleads(words: Sequence[str]) -> bool:
    """Whether words before an option ask somebody to choose it: "please choose", "do go with"."""
    said = [word for word in words if word != "do" and (word == "please" or word not in ADVERBS)]
    asked = any(one == "please" and other in ADVISED for one, other in pairwise(said))
    return asked or (words[:1] == ["do"] and said[:1] != [] and said[0] in ADVISED)


def begs(words: Sequence[str]) -> bool:
    """Whether words ask something of the reader: "I beg you", "I recommend to you"."""
    return any(one in ASKING and other in ("you", "to", "of") for one, other in pairwise(words)) and "you" in words


def asks_others(words: Sequence[str]) -> bool:
    """Whether words ask something of the reader, or tell what is asked of the writer: "I beg you", "I am told"."""
    return begs(words) or any(one in TOLD and other == "by" for one, other in pairwise([*words, "by"]))


_ELSEWHERE = frozenset(["a", "an", "another", "other", "different", "better", "someone", "somebody"])
"""Words after a preposition that open another situation: "in a better world"."""


def is_elsewhere(words: Sequence[str]) -> bool:
    """Whether a phrase places a choice in another situation: "with a stranger", "among friends", "after talking"."""
    return any(
        (first in ("among", "against") and before not in GUARDING)
        or (first in PREPOSITIONS and second in _ELSEWHERE and third not in ANSWERS)
        or (first, second, third) == ("in", "real", "life")
        or (first in ("with", "against", "among") and second in PEOPLE)
        or (first == "for" and second in ("a", "an") and f"{third}s" in PEOPLE)
        or (first == "only" and second in PREPOSITIONS)
        or (first == "after" and second in ("talking", "speaking", "discussing", "hearing", "seeing", "knowing"))
        for before, first, second, third in zip(["", *words], words, words[1:], [*words[2:], ""], strict=False)
    ) and not any(word in HERE for word in words)
