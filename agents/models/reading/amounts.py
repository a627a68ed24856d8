"""Amounts in the text of a reply: numbers, number words, shares of the endowment, and what only looks like one."""

import re
from collections.abc import Callable, Iterable

from dilemmas.agents.models.reading.options import FIRST, FOLLOWERS, FOREIGN, MOST_OPTIONS, NUMERALS, OPTION, Marked

UNITS = (
    r"(?:points?|tokens?|coins?|dollars?|cents?|euros?|pounds?|units?|credits?|bucks?|chips?|pts?|mus?|ecus?|usd|eur|e?\$|[€£]"
    r"|punkte|puntos|punti|gbp|chf|yen|yuan|rupees?)"
)

_SMALL = [
    *NUMERALS,
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]

NUMBER_WORDS = {word: float(value) for value, word in enumerate(_SMALL)}
NUMBER_WORDS |= {word: 10.0 * value for value, word in enumerate(_TENS, 2)}
NUMBER_WORDS |= {
    f"{ten}{joint}{one}": NUMBER_WORDS[ten] + NUMBER_WORDS[one]
    for ten in _TENS
    for one in _SMALL[1:10]
    for joint in "- "
}
NUMBER_WORDS |= {
    "a single": 1.0,
    "half a dozen": 6.0,
    "a dozen": 12.0,
    "hundred": 100.0,
    "a hundred": 100.0,
    "one hundred": 100.0,
}

SHARES = {
    "half": 0.5,
    "a half": 0.5,
    "one half": 0.5,
    "a quarter": 0.25,
    "one quarter": 0.25,
    **{f"{count} {part}": 1 / bottom for count in ("a", "one") for part, bottom in (("fifth", 5), ("tenth", 10))},
    "two fifths": 0.4,
    "three fifths": 0.6,
    "four fifths": 0.8,
    "every point": 1.0,
    "every token": 1.0,
    **{f"every {only} {unit}": 1.0 for only in ("last", "single") for unit in ("point", "token")},
    "no contribution": 0.0,
    **{f"{size} contribution": 0.0 for size in ("zero", "a zero", "minimum", "the minimum", "a minimal")},
    **{f"{size} contribution": 1.0 for size in ("full", "a full", "max", "maximum", "the maximum")},
    **{
        f"{my} {full} {amount}": 1.0
        for my in ("the", "my")
        for full in ("full", "whole", "entire")
        for amount in ("amount", "endowment", "contribution")
    },
    **{f"the {most} amount": 1.0 for most in ("maximum", "max", "maximum possible", "largest possible")},
    "the lot": 1.0,
    "the whole lot": 1.0,
    "three fourths": 0.75,
    "a third": 1 / 3,
    "one third": 1 / 3,
    "two thirds": 2 / 3,
    "three quarters": 0.75,
    "all": 1.0,
    "all in": 1.0,
    "all-in": 1.0,
    "it all": 1.0,
    "everything": 1.0,
    "the maximum": 1.0,
    "nothing": 0.0,
    "nothing at all": 0.0,
    **dict.fromkeys(("none", "nil", "zilch", "nada", "naught", "not one bit"), 0.0),
    "the minimum": 0.0,
    **{
        f"{no} {unit}": 0.0
        for no in ("no", "not one", "not a", "not a single")
        for unit in ("points", "tokens", "point", "token", "coins", "coin", "cent", "penny", "dime")
    },
}
"""Shares of the endowment in words."""


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


NUMBER = r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d++)(?:\.\d++)?"

_COUNT = rf"(?:{NUMBER}|(?:{_any(NUMBER_WORDS)})\b)"

_BOUND = r"at\s+(?:the\s+)?(?:very\s+)?(?:most|least)"

FOREIGN_NUMBERS = (
    rf"\b(?:up\s+to|{_BOUND}|(?:no|not)\s+(?:more|less)\s+than)\s+[$€£]?{NUMBER}"
    rf"|(?<![\w.,]){NUMBER}(?:\s+{UNITS})?,?\s+{_BOUND}\b|"
    rf"(?<![\w.,])(?:{NUMBER}\s?(?:-|–|—|~|to|:(?!\s)|[x×*+=^<>])\s?[$€£]?{NUMBER}|{NUMBER}\s?[+]|{NUMBER},\d++)"
    rf"|\bbetween\s+[$€£]?{NUMBER}(?:\s+{UNITS})?\s+and\s+[$€£]?{NUMBER}(?![^.;\n]{{0,20}}[:=–])"
    rf"|\b(?<!followed )by\s+{_COUNT}|\b{_COUNT}\s+(?:to|on\s+top\s+of)\s+(?:that|it|this)\b"
    rf"|(?<![\w.,])(?:{NUMBER}|(?:{_any(NUMBER_WORDS)}))(?:\s+{UNITS})?\s+(?:more|less|fewer|below|above)\b(?!\s+or)"
    rf"|(?<![\w.,]){NUMBER}\s+or\s+(?:more|less|fewer|higher|lower|above|below|so)\b"
    rf"|(?<![\w.,]){NUMBER}(?:\s+{UNITS})?\s+(?:max(?:imum)?|tops|each(?!\s+(?:round|time|turn)))\b"
    rf"|(?<![\w.,]){NUMBER}(?:\s+{UNITS})?\s+(?:for\s+(?:each|every)\s+(?:person|player|member|participant)|per\s+(?!round|turn|game)\w+)\b"
    rf"|(?<![\w.,]){NUMBER}(?:\s+{UNITS})?\s+(?:(?:for|to)\s+each|for\s+(?:everyone|everybody|you|them|him|her))\b(?!\s+(?:round|time|turn))"
    rf"|(?m:^)\s*=\s*{NUMBER}"
    r"|\b(?:choose|pick|select|take)\s+(?:one|two|both)\s+of\s+(?:them|these|those|the)\b"
    rf"|(?<!\w)(?:[−<≤≥±]\s?|[->])[$€£]?{NUMBER}|(?<=\w\s)[->]\s[$€£]?{NUMBER}"
)
"""Ranges, ratios, sums, negative numbers, bounds and decimal commas."""

OWNED = r"(?:(?:my|the|your|our|this)\s+)?(?:(?:own|whole|entire|full|total|initial|available)\s+)?"
OWNED += rf"(?:(?:{NUMBER}|{_any(NUMBER_WORDS)})\s+)?"
WHOLE = (
    rf"{OWNED}(?:endowment|money|budget|amount|wealth|resources|allocation|{UNITS})"
    r"|it|that|them|(?:what\s+|everything\s+)?i(?:\s+have|['’]ve)(?:\s+got)?"
)
_UNIT = rf"(?:\s?{UNITS}(?!\w))?"
_TOTAL = (
    rf"(?:(?:my|the|your|our|these|those)\s+)?[$€£]?(?P<total>{NUMBER}|(?:{_any(NUMBER_WORDS)})\b)"
    rf"(?![\w%]|[.,]\d){_UNIT}"
)

AMOUNT = re.compile(
    rf"\b(?:player|round|step|option|case|scenario)\s+{NUMBER}"
    rf"|(?P<foreign>{FOREIGN_NUMBERS})"
    rf"|\b(?P<share>{_any(SHARES)})(?!\s+a\s+dozen)(?!(?<=all)\s+(?:of\s+)?(?:my\s+|the\s+)?\d)(?:\s+(?:of\s+)?(?P<owned>{WHOLE})(?!\w)|\s+of\s+(?P<share_of>{NUMBER}))?(?![\w-])"
    rf"|(?<![\w.,/])(?:all\s+(?:of\s+)?(?:my\s+|the\s+)?|(?:the|my)\s+(?:full|whole|entire)\s+)?(?:(?:[$€£]|(?:usd|eur|gbp)\s)\s?)?(?P<number>{NUMBER}|(?:{_any(NUMBER_WORDS)})\b)(?!-?ish)"
    rf"(?P<percent>\s?(?:%|percent\b|per\s+cent\b))?{_UNIT}"
    rf"(?:\s?(?:/|out\s+of|of)\s?{_TOTAL}|\s+(?:out\s+)?of\s+(?P<whole>{WHOLE})(?!\w))?",
    re.IGNORECASE,
)

KEEPING = re.compile(
    r"\b(?:(?:hold|holding|hang|hanging)\s+on\s*to|leav(?:es|ing)(?:\s+me)?(?:\s+with)?(?:\s+(?:just|only))?|keep|keeping|retain|retaining|sav(?:e|ing)|pocket(?:ing)?|(?:private|personal|own)\s+account):?\s+(?:my\s+)?\Z",
    re.I,
)
KEEPING_ALL = (
    r"\b(?:(?:keep|retain)(ing)?|(?:hold|hang)(ing)?\s+on\s*to)\s+(?:everything|all\s+of\s+(?:it|them)|(?:it|them)\s+all|all"
    rf"|(?:all\s+(?:of\s+)?)?(?:(?:my|the)\s+)?(?:(?:full|whole|entire)\s+)?(?:MOST(?:\s*{UNITS})?|endowment)"
    rf"|(?:all\s+(?:of\s+)?(?:my\s+|the\s+)?|my\s+(?:own\s+)?){UNITS})(?:\s+(?:for|to)\s+(?:me|myself))?(?![\w/.,]?\w)(?!\s+(?:(?:of|but|except|that|i)\b|\d))"
)
WHOLE_BEFORE = re.compile(
    r"\b(?:(?:out\s+of|of|from)\s+(?:my\s+|the\s+)?|(?:i|we|you|each|everyone)\s+(?:start|begin)s?\s+with\s+)\Z", re.I
)
KEPT = re.compile(
    r"\s+(?:is\s+what\s+(?:i\s+keep|is\s+left)|kept|left|out(?=\s*(?:[.,;!\n]|\Z))|(?:(?:stays?|remains?)\s+)?(?:for|to|in|into|with)\s+"
    r"(?:me|myself|my\s+(?:own\s+|private\s+|personal\s+)?(?:account|pocket|purse|wallet)))(?!\w)",
    re.I,
)
"""Words before an amount that is kept, or that is the whole endowment, and after one that is kept."""

_GIVE = r"(?:contribut|giv|put|invest|donat|pay|add|spend|chip)\w*"
KEEPING_SOME = re.compile(
    rf"\b(?:keep(?:ing)?|sav(?:e|ing)|pocket(?:ing)?|(?:hold|hang)(?:ing)?\s+on\s*to)"
    rf"\s+(?P<kept>{NUMBER}|(?:{_any((*NUMBER_WORDS, *SHARES))})\b)"
    rf"(?:\s?{UNITS}(?!\w)|\s+of\s+(?:{WHOLE})(?!\w))?"
    r"(?:\s+(?:for|to)\s+(?:me|myself)|\s+back)?(?:,|,?\s+and)\s+(?:(?:i['’]?ll|i['’]?d|i|will|would)\s+){0,2}"
    rf"(?P<act>{_GIVE}(?:\s+in)?)\s+the\s+(?:rest|remainder|remaining\s+{UNITS}|others)(?!\w)"
    rf"|\ball\s+(?:but|except(?:\s+for)?)\s+(?P<without>{NUMBER}|(?:{_any(NUMBER_WORDS)})\b)",
    re.I,
)
"""A part that is kept, the rest of which is given."""

CHANGING = re.compile(
    r"\b(?:reduc|lower|rais|increas|decreas|cutt?|keep|maintain|hold|leav|bring|adjust|stay|remain|dropp?|up(?=\s+(?:\w+\s+)?by\b))(?:e|p|t|ing)?\s+"
    rf"(?:(?:my\s+contribution|it|that|this)\s+)?(?:(?:up|down|back)\s+)?(?:from\s+{NUMBER}\s+)?"
    rf"(?:by\s+{_COUNT}(?:\s*{UNITS})?(?:\s*[:,–-](?:\s*to\b)?|\s+to)|to|at)\s+(?=[$€£]?{NUMBER})"
    rf"|(?:\badd(?:ing)?\s+{_COUNT}\s+(?:to|on\s+top\s+of)\s+(?:that|it|this)|\b{_COUNT}\s+(?:more|less|fewer))"
    rf"\s*[:=–-]\s*(?=[$€£]?{NUMBER})"
    r"|\bmak(?:e|ing)\s+(?:(?:a|the|my)\s+)?(?=(?:zero|full|maximum|max|minimum|minimal)\s+contribution\b)"
    rf"|(?:^|(?<=[.!?:,]\s))(?:down|back)\s+to\s+(?=[$€£]?{NUMBER}\s*(?:[.!\n]|\Z))",
    re.I | re.M,
)
"""Words for what becomes of a contribution: "I raise my contribution to 5"."""

COMPARED = re.compile(
    r"(?:(?:\b(?:a\s+(?:bit|little)|slightly|much)\s+)?\b(?:more|less)\s+than|\b(?:nearly|almost|about|around|roughly))"
    rf"\s+(?:{_any(SHARES)})(?:\s+of\s+(?:{WHOLE}))?(?=\s*[,:(–-]\s*(?:say\s+)?{NUMBER})"
    rf"|\bmost\s+of\s+(?:{WHOLE})(?=\s*[,:(–-]\s*(?:say\s+)?{NUMBER})",
    re.I,
)
"""Words before an amount that compare it with a share: "more than half: 12"."""

APPROXIMATELY = re.compile(
    r"(?P<told>\b(?:(?:it|that|this|there)(?:['’]s|\s+(?:is|are|will\s+be|would\s+be))|think(?:ing)?|worr(?:y|ied)|talk(?:ing)?)\s+)?"
    rf"(?:\b(?:(?:somewhere|something)\s+)?(?:about|around|roughly|approximately|approx\.?)\s+|(?<![\d~])(?<!\d\s)[~≈]\s?)"
    rf"(?=[$€£]?(?:{NUMBER}|(?:{_any((*NUMBER_WORDS, *SHARES))})\b))",
    re.I,
)
"""Words before an amount that is meant, but not exactly: "about 5"."""

ADJECTIVES = re.compile(
    r"\ban?\s+(?:(?!(?:further|additional|extra|total|maximum|minimum|combined|average|mean|player|round|group|possible|potential|hypothetical|tentative|likely|probable"
    r"|of|with|to|for|in|at|from|by|and|or|than)\b)"
    rf"[a-z-]+\s+){{1,2}}(?={NUMBER}(?:\s*{UNITS})?(?:\s+from\s+me|\s+(?:in)?to\s+the|\s+this\s+\w+)?\s*(?:[.,;:!\n]|\Z))",
    re.I,
)
"""Words before an amount that change nothing about it."""

SOLVED = re.compile(
    rf"(\b{_GIVE}(?:\s+in)?:?\s+|\b(?:contribution|answer|offer|choice):\s*|\bthe\s+rest[^.;:\n]{{0,20}}?\s)"
    rf"{NUMBER}(?:\s*[-+*/×x−–]\s*{NUMBER}){{1,3}}\s*=\s*(?=[$€£]?{NUMBER})",
    re.I,
)
"""A calculation after a word for the amount, which is its result: "I give 20 - 4 = 16"."""

MINE = re.compile(rf"(\b(?:pool|pot|account|project|group|fund):?\s*{NUMBER}\W+)me:?\s*{NUMBER}", re.I)
"""What the writer keeps, after what the group gets: "pool: 6, me: 4"."""

KEPT_FIRST = re.compile(
    rf"\bme:?\s*({NUMBER})\W{{1,9}}(?=(?:pool|pot|account|project|group|fund)\b:?\s*({NUMBER}))", re.I
)
"""The same before it: "me: 13. Pot: 7"."""

REMAINING = re.compile(
    rf"\bthe\s+(?:remaining|other)\s+(?={NUMBER}(?:\s?{UNITS}|\s*[.,;\n]|\s*\Z|\s+(?:in|into|to|for)\b))", re.I
)
"""Words before an amount that is what is left of the endowment."""

GIVING_NOTHING = re.compile(
    r"\b(?:(?:(?:do|a?m|will|would|shall)\s+)?not|(?:do|wo|would)n['’]?t)\s+(?:be\s+)?"
    rf"(?:(?P<act>{_GIVE}(?:\s+in)?)\s+(?:anything|a\s+thing|any\s+{UNITS}|a\s+single\s+{UNITS})(?!\w)"
    rf"|(?P<alone>(?:contribut|invest|donat)\w*)(?=(?:\s+this\s+(?:round|time))?\s*(?:[.,;!\n]|\Z|because|since)))",
    re.I,
)
"""A denied contribution."""

CERTAINTY = re.compile(
    r"\s*(?:of\s+(?:the\s+)?(?:time|pot|chance|others?|players?)|chance|sure|certain|probab|confiden)", re.I
)

TWICE = re.compile(rf"({OPTION})\s*[,:=(]\s*(?:i\.e\.|that is|namely)?,?\s*\1(?:\s*\)(?:\s?{UNITS})?(?!\w))?")
"""The same amount in two forms: "half, i.e. 5"."""

PRAISED = re.compile(
    rf"(?<!and\s\s)(?<!or\s\s)(?<!to\s\s)(?:\b(?:an?\s+(?:contribution|amount)\s+of|starting\s+with|contributing|giving|putting\s+in|investing)\s+)?({OPTION})\s+"
    r"(?:is|seems|sounds|feels|looks|would\s+be)(?:\s+(?:like|quite|about|both))*(?:\s+a)?\s+"
    r"(?:fair|reasonable|right|good|appropriate|sensible|enough|balanced)(?:\s+(?:amount|contribution|number|compromise))?"
    r"(?:\s+(?:to|for)\s+me)?(?=\s*(?:[.,;!\n]|\Z))"
    rf"(?!\s*,\s*{OPTION})",
    re.I,
)
"""An amount that is called right, and so is meant to be given: "5 seems fair"."""

ENUMERATED = re.compile(r"^[ \t]*(?:\|[ \t]*)?\(?(\d{1,2})[.)]\s+(?=\W*+\w)", re.MULTILINE)
"""The number of an entry of a list, which has words; a number with marks alone after it is an answer."""


def mark_amounts(text: str, most: float, option_of: Callable[[float], float | None] = lambda amount: amount) -> Marked:
    """Mark amounts from 0 to `most`; `option_of` gives the meaning of an amount, None for what is not an option."""
    text = without_enumeration(re.sub(OPTION, " ", text.replace("+/-", "±")))
    text = re.sub(r"\bI(?:['’]m|\s+am)\s+all[\s-]in\b", "I put in everything", text, flags=re.I)
    text = re.sub(rf"(?<![\w.,]){most:g}\s*[-−–]\s*{NUMBER}\s*=\s*(?={NUMBER})", "", text)  # "20 - 4 = 16"
    text = re.sub(
        KEEPING_ALL.replace("MOST", f"{most:g}"),
        lambda kept: f"giv{kept[1] or kept[2] or 'e'} nothing",
        text,
        flags=re.I,
    )
    text = MINE.sub(r"\1", text)
    text = KEPT_FIRST.sub(lambda part: "" if _value(part[1]) + _value(part[2]) == most else part[0], text)
    text = KEEPING_SOME.sub(lambda part: _rest(part, most), REMAINING.sub("", text))
    text = APPROXIMATELY.sub(lambda about: about[0] if about["told"] else "", COMPARED.sub("", text))
    text = ADJECTIVES.sub("", text)
    text = CHANGING.sub("contribute ", SOLVED.sub(r"\1", text))
    text = GIVING_NOTHING.sub(lambda denied: f" {denied['act'] or denied['alone']} nothing", text)
    meanings: dict[float, str] = {FOREIGN: chr(FIRST)}

    def mark(match: re.Match[str]) -> str:
        if match.lastgroup is None or not _stands_alone(text, match):
            return match[0]
        amount = _amount(match, most, text)
        if KEEPING.search(text, max(0, match.start() - 30), match.start()):
            return ""
        if KEPT.match(text, match.end()):
            return ""
        if amount == most and WHOLE_BEFORE.search(text, max(0, match.start() - 20), match.start()):
            return ""
        meaning = option_of(amount) if amount is not None and 0 <= amount <= most else None
        if meaning is None or len(meanings) == MOST_OPTIONS:
            meaning = FOREIGN
        return f" {meanings.setdefault(meaning, chr(FIRST + len(meanings)))} "

    marked = PRAISED.sub(r"I prefer \1", TWICE.sub(r"\1", AMOUNT.sub(mark, text)))
    return Marked(marked, tuple(meanings))


def _amount(match: re.Match[str], most: float, text: str) -> float | None:
    """The amount in points; None for what only looks like an amount."""
    if match["foreign"]:
        return None
    if match["share"]:
        if match["share_of"] and _value(match["share_of"]) != most:
            return None
        owned = re.search(NUMBER, match["owned"] or "")
        if owned and _value(owned[0]) != most:  # "the maximum amount of 5 points"
            return None
        return SHARES[" ".join(match["share"].casefold().split())] * most
    value = _value(match["number"])
    if match["percent"]:
        return None if CERTAINTY.match(text, match.end()) else value / 100 * most
    total = match["total"]
    return value if total is None or _value(total) == most else None


def _rest(part: re.Match[str], most: float) -> str:
    """What is given where a part is kept."""
    kept = " ".join((part["kept"] or part["without"]).casefold().split())
    amount = SHARES[kept] * most if kept in SHARES else _value(kept)
    return f"{part['act'] or ''} {most - amount:g}"


def _value(number: str) -> float:
    """The value of a number in digits or in a word."""
    word = " ".join(number.casefold().split())
    return NUMBER_WORDS[word] if word in NUMBER_WORDS else float(word.replace(",", ""))


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Whether what follows lets a number or share be an amount: "5, because", but not "5 players" or "none of them"."""
    following = re.match(r"(?:[ \t]*([^\W\d_]+)|(\w|[.,/]\d))", text[match.end() : match.end() + 40])
    if following is None or (match["number"] and re.search(UNITS + "$", match[0], re.IGNORECASE)):
        return True
    if match["share"] and following[1] and following[1].casefold() == "of":
        return False
    return following[1] is not None and following[1].casefold() in FOLLOWERS


def without_enumeration(text: str, from_one: str = "1") -> str:
    """The text without the numbers of a list.

    A single number at the beginning of the text is the answer, as in "5. I trust them", unless it is `from_one`.
    """
    numbers = [match[1] for match in ENUMERATED.finditer(text)]
    alone = len(numbers) == 1 and ENUMERATED.match(text.lstrip())
    return text if alone and numbers[0] != from_one else ENUMERATED.sub("", text)
