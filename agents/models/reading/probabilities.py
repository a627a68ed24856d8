"""Reading the probabilities that a reply states for its options: a mixed strategy in words.

A statement gives an option a probability: "J with probability 70%", "7 times out of 10 J", "70/30 in favour of J",
"always J", "never F", "J and F are equally likely". Statements about other people, conditions, questions and reasons
count for nothing. A reply is unreadable if it states no probability, a bound or a range, two different probabilities
of the same option, or probabilities that do not add up to 1. A single option without a probability has what is left.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dilemmas.agents.models.reading.options import FIRST, NUMERALS, OPTION, mark_labels
from dilemmas.agents.models.reading.vocabulary import CONDITIONS, HYPOTHESES, NEGATIONS, OTHERS
from dilemmas.agents.models.reading.wrappers import unwrap, without_markup

SUPPOSING = (CONDITIONS | HYPOTHESES) - {"otherwise", "else", "whether", "say", "case"}
DENYING = NEGATIONS - {"never", "against", "without"}
OWN = frozenset(("i", "my", "me"))
PERSONS = OTHERS - {"both", "one"}

ROUNDING = 0.011
"""Largest difference of the sum of stated probabilities from 1: three of them may be rounded to whole percents."""
SAME = 0.006
"""Largest difference of two statements of the same probability."""

ROUND_NUMBERS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
TENS = {word: 10 * place for place, word in enumerate(ROUND_NUMBERS, 2)}
PARTS = {"half": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fifth": 5, "fifths": 5, "tenths": 10}
COUNTED = {word: place for place, word in enumerate(NUMERALS)} | {"a": 1, "an": 1, "hundred": 100}

NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
COUNT = rf"{NUMBER}|{'|'.join(NUMERALS)}|a hundred|hundred"
PERCENT = r"(?:%|percent|per cent|pct)"
SPLIT = re.compile(rf"(?<![\w.])({NUMBER})\s?(%?)\s?([/:–—-])\s?({NUMBER})\s?(%?)(?![\w.]*\d)")
"""Two numbers that may be shares of 1 or 100: "70/30"."""
QUANTITY = re.compile(
    rf"(?<![\w.])(?:(?P<of>{COUNT})\s(?:times\s)?(?:out\sof|in|of)\s(?:every\s)?(?P<all>{COUNT})(?!\w)"
    rf"|(?P<percent>{NUMBER}|(?:{'|'.join(TENS)})(?:[ -](?:{'|'.join(NUMERALS[1:10])}))?|{'|'.join(NUMERALS)}"
    rf"|a hundred|one hundred|hundred)\s?{PERCENT}"
    rf"|(?P<over>\d+)\s?/\s?(?P<under>\d+)(?![\w%])"
    rf"|(?:(?P<parts>{'|'.join(NUMERALS[1:])}|a)\s)?(?P<part>{'|'.join(PARTS)})(?!\w)"
    r"|(?P<share>0?\.\d+|0|1(?:\.0+)?)(?![\w./:]*\d)(?!\s?(?:points?|units?|euros?|dollars?|[€$£]))"
    r"|(?P<certain>always|every time|with certainty|certain(?=\sto))(?!\w)|(?P<never>never)(?!\w))"
)
EQUAL = re.compile(
    r"\b(?:equal(?:ly)? (?:likely|often|probable|probabilit\w+|chances?|odds|weights?)|equal(?:ly)? at random"
    r"|same probabilit\w+|fifty[- ]fifty|50\s?[/:–-]\s?50|uniformly(?: at random)?|evenly"
    r"|(?:flip|toss|flipping|tossing) (?:a |an )?(?:fair |unbiased )?coin|coin (?:flip|toss))(?!\w)"
)
BOUND = re.compile(
    r"\b(?:at least|at most|more than|less than|over|under|above|below|up to|no more than|minimum of|maximum of"
    rf"|between|from) (?:a |an |about |{NUMBER} ?%? ?(?:and|to) )?(?={NUMBER} ?{PERCENT})"
    rf"|{NUMBER} ?%? ?(?:to|or) ?{NUMBER} ?{PERCENT}"
)
"""Words that make a probability a bound, or one of several."""
SENTENCE_END = re.compile(r"(?<=[?])|[!;\n]+|\.(?=\s|$)")
OWN_PART = re.compile(r"(?:,|\band\b|\bbut\b|\bso\b|\btherefore\b|\bthus\b|\bhence\b)\s+(?=(?:i|my)\b)")
"""Where a part with its own subject begins."""
REASON_PART = re.compile(r"\b(?:because|since|so that|given that|although|though|as (?:the|they|it|this|i))\b.*")
CHUNK = re.compile(r"[,()]|\band\b|\bwhile\b|\bwhereas\b|\bbut\b")
OTHER_OPTION = re.compile(r"\b(?:the )?other (?:option|choice|one|label|action|letter)\b")
AMONG = re.compile(r"\b(?:between|among)\b")
EACH = re.compile(r"\b(?:each|both)\b")
LISTED = re.compile(rf"({OPTION})\s*[:=–—-]\s*({NUMBER})(?![\w%/.]*\d)")


class _UnclearError(Exception):
    """A reply whose statements are contradictory or vague."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of a sentence names, in order."""

    options: list[int]
    quantities: list[float]


def read_probabilities(text: str, labels: Sequence[str]) -> tuple[float, ...] | None:
    """The probabilities with which a reply chooses.

    Parameters
    ----------
    text
        The reply.
    labels
        Label of every action.

    Returns
    -------
    tuple or None
        Probability of every action, with sum 1; None if the reply does not clearly state them.
    """
    marked = mark_labels(without_markup(unwrap(text, labels)), labels).text.lower()
    spaced = re.sub(r"[ \t]+", " ", re.sub(r"[’‘`´]", "'", marked))
    known: dict[int, float] = {}
    try:
        for part in _parts(spaced):
            for option, value in _stated(part, len(labels)):
                _agree(known, option, value)
        for option, value in [] if known else _listed(spaced, len(labels)):
            _agree(known, option, value)
        return _whole(known, len(labels))
    except _UnclearError:
        return None


def _parts(text: str) -> Iterator[str]:
    """The parts of a text that may state the writer's own probabilities."""
    for sentence in SENTENCE_END.split(text):
        if sentence.strip().endswith("?") or set(_words(sentence)) & SUPPOSING:
            continue
        for part in OWN_PART.split(sentence):
            chunks = re.split(f"({CHUNK.pattern})", REASON_PART.sub("", part))
            if not _foreign(chunks[0]):
                yield "".join(" " if _foreign(chunk) else chunk for chunk in chunks)


def _foreign(part: str) -> bool:
    """Whether somebody else is the subject: named before the writer and before any option."""
    before = _words(OTHER_OPTION.sub("", re.split(OPTION, part)[0]))
    return next((word in PERSONS for word in before if word in PERSONS | OWN), False)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)


def _stated(text: str, count: int) -> list[tuple[int, float]]:
    """Options with their probabilities in a part of a sentence; `count`: number of all options."""
    text = _with_other_option(text, count)
    options = _options(text)
    if EQUAL.search(text):
        if options and set(options) != set(range(count)):
            raise _UnclearError
        return [(option, 1 / count) for option in range(count)]
    split = _split(text)
    if split is not None:
        return _of_split(options, split, count)
    part = _Part(options, list(_quantities(text)))
    if not part.quantities:
        return []
    if BOUND.search(text) or set(_words(text)) & DENYING:
        if options:
            raise _UnclearError
        return []
    if EACH.search(text) and len(part.quantities) == 1:
        return [(option, part.quantities[0]) for option in options or range(count)]
    return _paired(text, part)


def _paired(text: str, part: _Part) -> list[tuple[int, float]]:
    if not part.options:
        return []
    if len(part.options) == len(part.quantities) == len(set(part.options)):
        return list(zip(part.options, part.quantities, strict=True))
    if AMONG.search(text):
        raise _UnclearError
    found = []
    for chunk in CHUNK.split(text):
        named, values = _options(chunk), list(_quantities(chunk))
        if values:
            if len(named) != 1 or len(values) != 1:
                raise _UnclearError
            found.append((named[0], values[0]))
    return found


def _of_split(options: Sequence[int], split: tuple[float, float], count: int) -> list[tuple[int, float]]:
    """Probabilities of a statement such as "70/30": of the two options in order, or of the one that is favoured."""
    distinct = list(dict.fromkeys(options))
    if count != 2 or not distinct:
        raise _UnclearError
    first = distinct[0]
    return [(first, split[0]), (1 - first, split[1])]


def _split(text: str) -> tuple[float, float] | None:
    """Two numbers with the sum 1 or 100, such as "70/30"; `_UnclearError` for a range."""
    for found in SPLIT.finditer(text):
        one, other = float(found[1]), float(found[4])
        ranged = found[3] in "–—-" and found[5] and not found[2]
        if ranged:
            raise _UnclearError
        for whole in (1, 100):
            if abs(one + other - whole) < 1e-9 * whole:
                return one / whole, other / whole
    return None


def _quantities(text: str) -> Iterator[float]:
    """The probabilities in a text, in order; `_UnclearError` for one above 1."""
    for found in QUANTITY.finditer(text):
        value = _value(found)
        if value is None:
            continue
        if not value <= 1:
            raise _UnclearError
        yield value


def _value(found: re.Match[str]) -> float | None:
    named = {key: text for key, text in found.groupdict().items() if text is not None}
    if "of" in named:
        return _number(named["of"]) / max(1.0, _number(named["all"]))
    if "percent" in named:
        return _number(named["percent"]) / 100
    if "over" in named:
        return float(named["over"]) / max(1.0, float(named["under"]))
    if "part" in named:
        return COUNTED[named.get("parts", "one")] / PARTS[named["part"]]
    if "share" in named:
        return _share(found)
    return 1.0 if "certain" in named else 0.0


def _share(found: re.Match[str]) -> float | None:
    """A number from 0 to 1 after a word or a mark that makes it a probability, or with decimals."""
    before = found.string[max(0, found.start() - 24) : found.start()]
    if "." in found["share"] or re.search(r"(?:probability(?: of)?|chance(?: of)?|[:=]) ?$", before):
        return float(found["share"])
    return None


def _number(word: str) -> float:
    word = re.sub(r"^(?:a|one) (?=hundred)", "", word)
    tens, _, ones = word.replace("-", " ").partition(" ")
    if tens in TENS:
        return float(TENS[tens] + COUNTED.get(ones, 0))
    return float(COUNTED[word]) if word in COUNTED else float(word)


def _with_other_option(text: str, count: int) -> str:
    """The text with "the other option" as the character of that option, where there are two."""
    options = _options(text)
    if count != 2 or not options:
        return text
    return OTHER_OPTION.sub(f" {chr(FIRST + 1 - options[0])} ", text)


def _options(text: str) -> list[int]:
    return [ord(word) - FIRST for word in re.findall(OPTION, text)]


def _listed(text: str, count: int) -> list[tuple[int, float]]:
    """Numbers that a list gives to every option: "J: 70, F: 30"."""
    found = [(ord(option) - FIRST, float(value)) for option, value in LISTED.findall(text)]
    total = sum(value for _, value in found)
    if sorted(option for option, _ in found) != list(range(count)) or total not in (1, 100):
        return []
    return [(option, value / total) for option, value in found]


def _agree(known: dict[int, float], option: int, value: float) -> None:
    if abs(known.setdefault(option, value) - value) > SAME:
        raise _UnclearError


def _whole(known: dict[int, float], count: int) -> tuple[float, ...] | None:
    """The distribution, with what is left for the only option without a probability; None if it is none."""
    total, missing = sum(known.values()), [option for option in range(count) if option not in known]
    if not known or total > 1 + ROUNDING or (not missing and total < 1 - ROUNDING):
        return None
    if len(missing) > 1 and total < 1 - ROUNDING:
        return None
    rest = max(0.0, 1 - total) if len(missing) == 1 else 0.0
    values = [known.get(option, rest) for option in range(count)]
    return tuple(value / sum(values) for value in values)
