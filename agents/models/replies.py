"""Reading the action and the reason from the text of a reply. Strict: an unclear reply is unreadable, never guessed.

A reply chooses an action if

1. it *begins* with exactly one label as a whole word, after quotes, brackets or markdown and at most one lead-in
   ("I choose", "My answer is", "Answer:");
2. the rest of that sentence neither contains another label nor is conditional or uncertain ("if", "unless", "or",
   "maybe") before a word that introduces a reason ("because", "since", "rather than");
3. no later sentence revokes the choice by choosing another label.

For example, "I will not choose [Defect]; I pick [Cooperate]" is unreadable (it begins with neither label), and so are
an error message, an empty reply and "C or D, who knows".
"""

import re
from collections.abc import Sequence
from functools import cache

OPENING = r"""[\s"'“”‘’«»`*_~#>(\[{<$]{0,20}(?:[-•]\s+)?[\s"'“”‘’«»`*_~(\[{<$]{0,20}"""
"""Quotes, brackets, markdown and bullets before a label; bounded, so that matching takes linear time on any text."""

CLOSING = r"""["'“”‘’«»`*_~)\]}>]*"""
"""Quotes, brackets and markdown after a label."""

LEAD_IN = (
    r"(?:(?:so|therefore|thus|hence|well|ok(?:ay)?|sure)\s*,?\s+)?"
    r"(?:i(?:['’](?:d|ll)|\s+will|\s+would)?\s+(?:choose|pick|select|play|take|go\s+with|opt\s+for|contribute|put|give|invest)"
    r"|(?:my|the|final)(?:\s+final)?\s+(?:answer|choice|decision|action|move)(?:\s+is|\s*:)"
    r"|(?:answer|choice|decision|action|i\s+choose)\s*:"
    r"|i(?:['’](?:d|ll)|\s+will|\s+would)?)"
    rf"(?:\s+to)?{CLOSING}(?:\s+(?:the\s+)?(?:option|action|label|letter))?(?=\W)"
)
"""Words that introduce a choice. "I", "I will" and "I would" occur before labels that are verbs."""

CORRECTION = r"(?:(?:no|wait|actually|instead|rather|on\s+second\s+thoughts?|but|however)\b[\s,:]*)+"

REASON = r"(?:because|since|given|rather\s+than|instead\s+of|over|as(?!\s+(?:long|soon|far)\b)|for|in|into|to)\b"
"""Words that introduce a reason, also without a comma; the text after them does not affect the choice."""

HEDGE = r"\b(?:if|unless|or|maybe|perhaps|possibly|probably|depends|depending|otherwise|not|when|until|as\s+long)\b"

SENTENCE_END = re.compile(r"""[.!](?=["'”’)\]*_]*(?:\s|$))|\?|;|\n""")

REASON_HEADING = re.compile(
    r"[\s*_#]*(?:reason(?:ing)?|motivation|explanation|why)[*_]*\s*[:–—-][\s*_]*", re.IGNORECASE
)


def read_action(text: str, labels: Sequence[str]) -> int | None:
    """The action that a reply chooses.

    Parameters
    ----------
    text
        The reply.
    labels
        Label of every action. Upper and lower case are equivalent, unless labels differ in nothing else.

    Returns
    -------
    int or None
        Index of the label; None if the reply does not clearly choose one.
    """
    first, *later = _sentences(text)
    found = _begins(first, tuple(labels))
    if found is None:
        return None
    action, end, _ = found
    if not _confirmed(first[end:], labels, action) or first.endswith("?"):
        return None
    return None if any(_revokes(sentence, tuple(labels), action) for sentence in later) else action


def read_amount(text: str, most: float) -> float | None:
    """The amount that a reply chooses.

    The amount must be the only number of the first sentence, which begins with it as with a label.

    Parameters
    ----------
    text
        The reply.
    most
        The largest possible amount, in points.

    Returns
    -------
    float or None
        The amount, from 0 to `most`; None if the reply does not clearly choose one.
    """
    first, *_ = _sentences(text)
    named = re.findall(r"(?<![\w.,-])\d+(?:\.\d+)?(?![\w%]|[.,]\d)", first)
    if len(named) != 1 or re.search(r"\d\s*%|\d/\d|-\s*\d|\d,\d", first):
        return None
    if read_action(first, named) is None or not float(named[0]) <= most:
        return None
    return float(named[0])


def read_motivation(text: str, label: str) -> str:
    """The text of a reply besides the label that it chooses; the whole text if it does not begin with the label."""
    found = _begins(text, (label,))
    rest = text[found[1] :] if found else text
    rest = re.sub(r"^[\s.,:;!–—-]+", "", rest)
    heading = REASON_HEADING.match(rest)
    return rest[heading.end() if heading else 0 :].strip()


def _begins(sentence: str, labels: tuple[str, ...]) -> tuple[int, int, bool] | None:
    """Index of the label at the beginning of a sentence, the end of the label and its quotes, and whether there is a
    lead-in."""
    match = _beginning(labels).match(sentence)
    if match is None:
        return None
    word = match["label"]
    if word not in labels:
        word = next(label for label in labels if label.lower() == word.lower())
    return labels.index(word), match.end(), match["lead"] is not None


@cache
def _beginning(labels: tuple[str, ...]) -> re.Pattern[str]:
    flags = re.IGNORECASE if len({label.lower() for label in labels}) == len(labels) else re.NOFLAG
    label = rf"(?P<label>{_any(labels)}){CLOSING}"
    lead = rf"(?:(?P<lead>{LEAD_IN})\s*{OPENING})?"
    return re.compile(rf"{OPENING}{lead}{label}", flags)


def _any(labels: Sequence[str]) -> str:
    """A pattern for any of the labels as a whole word or number, the longest first."""
    words = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    return rf"(?<!\w)(?<!\d\.)(?:{words})(?!\w|['’-]\w|[.,]\d|%)"


def _confirmed(tail: str, labels: Sequence[str], action: int) -> bool:
    """Whether the text after the label in its sentence confirms the choice."""
    tail = re.sub(r"^\s*points?\b", "", tail)
    reason = re.match(rf"[\s,:–—(-]*{REASON}", tail, re.IGNORECASE)
    if reason is not None:
        return not re.match(rf"[\s,:–—(-]*(?:for|in|into|to)\s+{OPENING}{_any(labels)}", tail, re.IGNORECASE)
    if tail.strip() and not re.match(r"\s*[,.:!;?–—(-]", tail):
        return False  # "C is tempting": a sentence about the label, not a choice of it
    until = re.split(rf"\b{REASON}", tail, maxsplit=1, flags=re.IGNORECASE)[0]
    others = [label for index, label in enumerate(labels) if index != action]
    named = re.search(_any(others), until, re.IGNORECASE) if others else None
    return named is None and re.search(HEDGE, until, re.IGNORECASE) is None


def _revokes(sentence: str, labels: tuple[str, ...], action: int) -> bool:
    """Whether a later sentence chooses another label: with a lead-in, with a correction, or as the label alone."""
    correction = re.match(rf"\s*{CORRECTION}", sentence, re.IGNORECASE)
    said = sentence[correction.end() :] if correction else sentence
    found = _begins(said, labels)
    if found is None or found[0] == action:
        return False
    other, end, led = found
    rest = said[end:].strip(" .!?;")
    return (led or correction is not None or not rest) and _confirmed(said[end:], labels, other)


def _sentences(text: str) -> list[str]:
    """The sentences of a reply, including the punctuation at their ends; at least one."""
    text = text.strip()
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    parts = [text[i:j] for i, j in zip([0, *ends], [*ends, len(text)], strict=True)]
    return [part for part in parts if part.strip()] or [""]
